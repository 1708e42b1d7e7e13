using System.Buffers;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>Writes answers and notifications to the parent; <see cref="ControlOutput.Flush"/> sends them. Loop thread only.</summary>
/// <param name="output">Standard output.</param>
/// <param name="loop">Its loop.</param>
/// <param name="broken">Called when an answer could not be finished: nothing can follow half of one.</param>
internal sealed class ControlAnswers(ControlOutput output, IoLoop loop, Action<Exception> broken)
{
    // Items of a long answer that are made in one turn of the loop.
    private const int SliceSize = 16;

    // A long answer is written in pieces of that size, and goes on while no more than two are unread.
    private const int PieceSize = 24 * 1024;

    // Goes on with a long answer that waits until more has been read; null while none does.
    private Action? _waiting;

    // Written beside the output: what fails half-way, or comes out too long, leaves no part of an answer there.
    internal void Answer<T>(uint id, T result, WireFormat.Writer<T> write)
    {
        ArrayBufferWriter<byte> answer = new();
        MessagePackWriter writer = new(answer);
        RpcWriter.BeginResult(ref writer, id);
        write(ref writer, result);
        writer.Flush();
        if (answer.WrittenCount > RelayChannel.MaxAnswerSize)
            throw new RelayException(RelayErrorCode.NotSupported, $"the answer would have {answer.WrittenCount} bytes; one has at most {RelayChannel.MaxAnswerSize}");

        output.Writer.Write(answer.WrittenSpan);
    }

    internal void AnswerArray<T>(uint id, IReadOnlyList<T> results, WireFormat.Writer<T> write) =>
        Answer(id, results, (ref writer, all) => writer.WriteArray(all, write));

    /// <summary>
    /// Answers with an array of which there may be thousands of items. It is made a little in each turn of the loop, so that connections need not wait for it, and written as
    /// it is made; where it may be too long for an answer, it is made <paramref name="aside"/>, for <see cref="AnswerMade"/>. An item that <paramref name="find"/> does not give
    /// yet is asked for again in the next turn.
    /// </summary>
    internal void AnswerInSlices<T>(uint id, int count, Func<int, T?> find, WireFormat.Writer<T> write, ArrayBufferWriter<byte>? aside, Action done)
        where T : class
    {
        int made = 0;
        if (aside is null)
        {
            Answer(id, count, static (ref writer, count) => writer.WriteArrayHeader(count));
            output.BeginLong();
        }

        Run();

        void Run()
        {
            try
            {
                MakeSlice();
            }
            catch (Exception e)
            {
                broken(e);
                return;
            }

            if (made == count)
            {
                if (aside is null)
                    output.EndLong();

                done();
                return;
            }

            if (output.Backlog >= PieceSize)
                output.Flush();

            if (output.Backlog > 2 * PieceSize)
                _waiting = Run;
            else
                loop.Post(Run);
        }

        void MakeSlice()
        {
            MessagePackWriter writer = new(aside ?? output.LongWriter);
            for (int end = Math.Min(made + SliceSize, count); made < end && find(made) is { } item; made++)
                write(ref writer, item);

            writer.Flush();
        }
    }

    /// <summary>Answers with the array whose items were made aside.</summary>
    internal void AnswerMade(uint id, int count, ArrayBufferWriter<byte> items) => Answer(id, items, (ref writer, made) =>
    {
        writer.WriteArrayHeader(count);
        writer.WriteRaw(made.WrittenSpan);
    });

    /// <summary>More of the output has been read.</summary>
    internal void GoOn()
    {
        Action? goOn = _waiting;
        _waiting = null;
        goOn?.Invoke();
    }

    internal void AnswerError(uint id, RelayError error)
    {
        MessagePackWriter writer = new(output.Writer);
        RpcWriter.WriteError(ref writer, id, error);
        writer.Flush();
    }

    internal void Notify<T>(string method, T value, WireFormat.Writer<T> write)
    {
        MessagePackWriter writer = new(output.Writer);
        RpcWriter.BeginNotification(ref writer, method, 1);
        write(ref writer, value);
        writer.Flush();
    }
}
