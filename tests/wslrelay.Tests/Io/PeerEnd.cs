using System.Net.Sockets;

namespace Wslrelay.Tests.Io;

/// <summary>
/// How a connection ends for the other side. The receive is pending before the end comes: under Wine an error that no call
/// was waiting for is lost, and a later receive reads it as an end.
/// </summary>
internal static class PeerEnd
{
    /// <summary>Success for an end, the error otherwise.</summary>
    internal static Task<SocketError> Of(Socket socket)
    {
        Task<int> receive = socket.ReceiveAsync(new byte[1], SocketFlags.None);
        return Read(receive);
    }

    private static async Task<SocketError> Read(Task<int> receive)
    {
        try
        {
            return await receive == 0 ? SocketError.Success : SocketError.MessageSize;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }
}
