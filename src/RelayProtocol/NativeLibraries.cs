// libc and kernel32 are the system's; a file of that name beside the program is never meant.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
