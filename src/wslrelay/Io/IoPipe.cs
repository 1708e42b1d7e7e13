namespace Wslrelay.Io;

/// <summary>One end of a pipe, or a standard stream, that the port can wait for. Owned by the loop thread.</summary>
internal abstract class IoPipe : IoHandle;
