using System.Runtime.InteropServices;
using Xunit;

// Tests check times of the contract, and measure processor time and memory: in parallel they would disturb each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
