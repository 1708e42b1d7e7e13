using System.Runtime.InteropServices;

// Native libraries are the system's own: never one that happens to lie beside the program.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
