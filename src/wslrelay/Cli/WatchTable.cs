using System.Globalization;
using RelayProtocol;

namespace Wslrelay.Cli;

/// <summary>The table of <c>forward --watch</c> as lines of text that fit a terminal; remembers the counters of the last time for the rates. One thread.</summary>
internal sealed class WatchTable(RelayTarget target, Func<PortMappingKey, string?> programOf)
{
    private static readonly string[] Units = ["B/s", "kB/s", "MB/s", "GB/s"];

    // In the order in which they are left out where the terminal is too narrow; a negative width aligns to the right.
    private static readonly Column[] Columns =
    [
        new("MAPPING", 0, static row => $"{row.Status.Mapping}"),
        new("STATE", 9, static row => row.State),
        new("OPEN/ALL", -9, static row => $"{row.Status.Active}/{row.Status.Accepted}"),
        new("TO GUEST", -10, static row => Rate(row.ToGuest)),
        new("TO HOST", -10, static row => Rate(row.ToHost)),
        new("GUEST", -5, static row => $"{row.Status.Mapping.GuestPort,5}{row.Program}"),
    ];

    private Dictionary<PortMappingKey, Row> _last = [];

    /// <summary>The lines from the top of the screen, none longer than it is wide and no more than fit.</summary>
    /// <param name="list">The mappings in force.</param>
    /// <param name="seconds">The time since the last call.</param>
    /// <param name="width">Of the screen, in characters.</param>
    /// <param name="height">Of the screen, in lines.</param>
    internal WatchLine[] Draw(PortMappingStatus[] list, double seconds, int width, int height)
    {
        Row[] rows = Array.ConvertAll(list, status => new Row(status, _last.GetValueOrDefault(status.Mapping.Key), seconds, status.Auto ? ForwardRunner.Program(programOf(status.Mapping.Key)) : ""));
        _last = rows.ToDictionary(static row => row.Status.Mapping.Key);

        int mappingWidth = Math.Max(7, rows.Select(static row => $"{row.Status.Mapping}".Length).DefaultIfEmpty().Max());
        Column[] columns = Fit(mappingWidth, width);
        List<WatchLine> lines =
        [
            new($"{target}: {Count(list.Length, "mapping")}, {Count(list.Sum(static status => status.Active), "connection")}; Ctrl+C ends it", WatchStyle.Plain),
            new(string.Join(' ', columns.Select(column => column.Align(column.Title, mappingWidth))), WatchStyle.Heading),
        ];
        int all = rows.Sum(static row => row.Height);
        if (lines.Count + all > height)
            rows = [.. rows.OrderByDescending(static row => row.Style)];

        int shown = 0;
        foreach (Row row in rows)
        {
            // The last line tells of those that do not fit.
            int left = height - lines.Count - (shown + 1 < rows.Length ? 1 : 0);
            if (left < row.Height)
                break;

            shown++;
            lines.Add(new(string.Join(' ', columns.Select(column => column.Align(column.Text(row), mappingWidth))), row.Style));
            if (row.Error is { } error)
                lines.Add(new($"  {error}", row.Style));
        }

        if (shown < rows.Length)
            lines.Add(new($"... and {rows.Length - shown} more", WatchStyle.Plain));

        return [.. lines.Take(height).Select(line => line with { Text = line.Text.Length > width ? line.Text[..width] : line.Text.TrimEnd() })];
    }

    private static Column[] Fit(int mappingWidth, int width)
    {
        int count = Columns.Length;
        while (count > 1 && Columns.Take(count).Sum(column => Math.Max(Math.Abs(column.Width), column.Width == 0 ? mappingWidth : 0) + 1) - 1 > width)
            count--;

        return Columns[..count];
    }

    private static string Count(long number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    // Three digits, as in 1.23 MB/s.
    private static string Rate(double perSecond)
    {
        int unit = 0;
        while (perSecond >= 999.5 && unit < Units.Length - 1)
        {
            perSecond /= 1000;
            unit++;
        }

        string format = unit == 0 || perSecond >= 99.95 ? "0" : perSecond >= 9.995 ? "0.0" : "0.00";
        return $"{perSecond.ToString(format, CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    private sealed record Column(string Title, int Width, Func<Row, string> Text)
    {
        internal string Align(string text, int mappingWidth) => Width < 0 ? text.PadLeft(-Width) : text.PadRight(Width == 0 ? mappingWidth : Width);
    }

    private sealed class Row(PortMappingStatus status, Row? last, double seconds, string program)
    {
        internal PortMappingStatus Status => status;

        internal string Program => program;

        internal double ToGuest { get; } = last is null ? 0 : (status.BytesToGuest - last.Status.BytesToGuest) / seconds;

        internal double ToHost { get; } = last is null ? 0 : (status.BytesToHost - last.Status.BytesToHost) / seconds;

        /// <summary>A mapping that has failed counts as failing until a connection succeeds.</summary>
        internal bool IsFailing { get; } = last is not null && (status.Failed > last.Status.Failed || (last.IsFailing && status.Accepted == last.Status.Accepted));

        internal string State => IsFailing ? "failing" : status.Active > 0 ? "active" : "listening";

        internal WatchStyle Style => IsFailing ? WatchStyle.Failing : status.Active > 0 ? WatchStyle.Active : WatchStyle.Plain;

        // Name and message may come from the guest, and go to a terminal of the host: no control characters.
        internal string? Error => status.LastError is not { } error ? null
            : string.Concat($"{error.At.LocalDateTime:HH:mm:ss} {error.Name}: {error.Message}".Select(static c => char.IsControl(c) ? ' ' : c));

        internal int Height => Error is null ? 1 : 2;
    }
}

/// <summary>A line of the table.</summary>
internal readonly record struct WatchLine(string Text, WatchStyle Style);

/// <summary>How a line stands out, the least first.</summary>
internal enum WatchStyle
{
    Plain,
    Active,
    Failing,
    Heading,
}
