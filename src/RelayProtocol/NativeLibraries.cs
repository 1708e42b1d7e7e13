// libc and kernel32 are the system's: a file of that name in the program's folder must not be loaded.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
