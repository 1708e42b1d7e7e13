using MessagePack;

namespace RelayProtocol.Tests.Rpc;

/// <summary>Reads one object and all that is in it by the method for each type, without recursion.</summary>
internal static class ObjectWalk
{
    public delegate void Read(ref MessagePackReader reader);

    public static void Run(ref MessagePackReader reader)
    {
        for (long toCome = 1; toCome > 0; toCome--)
        {
            switch (reader.NextMessagePackType)
            {
                case MessagePackType.Nil:
                    reader.ReadNil();
                    break;
                case MessagePackType.Boolean:
                    reader.ReadBoolean();
                    break;
                case MessagePackType.Integer when reader.NextCode == MessagePackCode.UInt64:
                    reader.ReadUInt64();
                    break;
                case MessagePackType.Integer:
                    reader.ReadInt64();
                    break;
                case MessagePackType.Float:
                    reader.ReadDouble();
                    break;
                case MessagePackType.String:
                    reader.ReadString();
                    break;
                case MessagePackType.Binary:
                    reader.ReadBytes();
                    break;
                case MessagePackType.Array:
                    toCome += reader.ReadArrayHeader();
                    break;
                case MessagePackType.Map:
                    toCome += 2L * reader.ReadMapHeader();
                    break;
                case MessagePackType.Extension:
                    reader.ReadExtensionFormat();
                    break;
                default:
                    throw new MessagePackSerializationException("Never used.");
            }
        }
    }
}
