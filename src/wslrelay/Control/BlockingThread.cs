namespace Wslrelay.Control;

/// <summary>
/// A background thread that makes one blocking call for each <see cref="Run"/>, where the loop cannot wait for a standard stream (a synchronous pipe on Windows, a
/// file, a terminal). It starts with the first and ends with the process.
/// </summary>
internal sealed class BlockingThread(string name, Action call)
{
    private readonly SemaphoreSlim _wanted = new(0);
    private bool _started;

    internal void Run()
    {
        if (!_started)
            new Thread(CallEachTime, 256 * 1024) { IsBackground = true, Name = name }.Start();
        _started = true;
        _wanted.Release();
    }

    private void CallEachTime()
    {
        while (true)
        {
            _wanted.Wait();
            call();
        }
    }
}
