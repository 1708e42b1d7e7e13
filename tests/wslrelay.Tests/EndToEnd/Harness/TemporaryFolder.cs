namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>A folder that is deleted after its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("wslrelay-test-").FullName;

    /// <summary>The path of a file in it, written with this text.</summary>
    public string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A server that was just killed may still hold a file; the system cleans its temporary folder.
        }
    }
}
