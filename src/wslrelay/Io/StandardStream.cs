namespace Wslrelay.Io;

/// <summary>The standard streams. The values are Linux's descriptor numbers; Windows' handle numbers run down from -10 in the same order.</summary>
internal enum StandardStream
{
    Input = 0,
    Output = 1,
    Error = 2,
}
