using System.Reflection;

namespace Wslrelay.Control;

internal static class ProgramVersion
{
    /// <summary>The semantic version, without build metadata.</summary>
    public static string Text { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
