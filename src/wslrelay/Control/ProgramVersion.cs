using System.Reflection;

namespace Wslrelay.Control;

/// <summary>The program's version.</summary>
internal static class ProgramVersion
{
    /// <summary>As in semantic versioning, without the build's own suffix.</summary>
    public static string Text { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
