namespace Wslrelay.Io;

/// <summary>The standard streams, by their descriptor numbers on Linux; Windows' numbers run down from -10 in the same order.</summary>
internal enum StandardStream
{
    /// <summary>Standard input.</summary>
    Input = 0,

    /// <summary>Standard output.</summary>
    Output = 1,

    /// <summary>Standard error.</summary>
    Error = 2,
}
