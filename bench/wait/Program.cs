using Wslrelay.WaitBench;

return WaitCommand.Run(args);
