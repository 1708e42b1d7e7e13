namespace Wslrelay.Io;

/// <summary>One wake-up, as <see cref="IoPort.Wait"/> hands it to the loop: which operation, and what its port wants it to know.</summary>
/// <param name="Operation">The operation that was woken.</param>
/// <param name="Source">What was made for the operation: the slot of a packet, or the batch of a call. Null where it is to try again, as epoll has it.</param>
/// <param name="Bytes">The bytes that it moved; 0 without a source, where readiness is kept in the socket.</param>
/// <param name="NativeError">Its error in the system's own numbers; 0 where there is none.</param>
internal readonly record struct IoEvent(IoOperation Operation, object? Source, uint Bytes, int NativeError);
