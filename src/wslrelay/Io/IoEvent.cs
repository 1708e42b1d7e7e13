namespace Wslrelay.Io;

/// <summary>One wake-up, as <see cref="IoPort.Wait"/> hands it to the loop: which operation, and what its port wants it to know.</summary>
/// <param name="Operation">The operation that was woken.</param>
/// <param name="Source">On a completion port the slot whose packet this is; null with epoll.</param>
/// <param name="Bytes">On a completion port the bytes moved; 0 with epoll, where readiness is kept in the socket.</param>
/// <param name="NativeError">The packet's error in the system's own numbers; 0 where there is none.</param>
internal readonly record struct IoEvent(IoOperation Operation, object? Source, uint Bytes, int NativeError);
