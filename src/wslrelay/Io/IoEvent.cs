namespace Wslrelay.Io;

/// <summary>One wake-up of an operation, from <see cref="IoPort.Wait"/>.</summary>
/// <param name="Operation">The operation that was woken.</param>
/// <param name="Source">The slot of the packet or the batch of the call that completed; null for a readiness event, after which the operation tries again.</param>
/// <param name="Bytes">Bytes transferred; 0 without a source.</param>
/// <param name="NativeError">The error in the system's own numbers, 0 if there is none.</param>
internal readonly record struct IoEvent(IoOperation Operation, object? Source, uint Bytes, int NativeError);
