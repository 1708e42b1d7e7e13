namespace Wslrelay.Io.Linux;

/// <summary>The file types of inode(7) that are told apart here.</summary>
internal enum FileType
{
    /// <summary>An anonymous inode: an eventfd, a pidfd or the like.</summary>
    Anonymous = 0,
    Fifo = 0x1000,
    Socket = 0xC000,
}
