using System.Runtime.InteropServices;

// Native libraries are the system's own: a file of that name in the program's folder must not be loaded.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
