using System.Runtime.InteropServices;
using Xunit;

// Tests measure what a loop does with thousands of handles: two at once would only measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
