using RelayProtocol.Windows;
using Xunit;

namespace RelayProtocol.Tests;

public class CommandLineTests
{
    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("a", "a")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("a\tb", "\"a\tb\"")]
    [InlineData(@"C:\a\", @"C:\a\")]
    [InlineData(@"C:\a b\", @"""C:\a b\\""")]
    [InlineData(@"a\\b", @"a\\b")]
    [InlineData(@"a\\b c", @"""a\\b c""")]
    [InlineData("\"", "\"\\\"\"")]
    [InlineData("a\"b", "\"a\\\"b\"")]
    [InlineData("a\\\"b", "\"a\\\\\\\"b\"")]
    [InlineData("a\\\\\"b", "\"a\\\\\\\\\\\"b\"")]
    [InlineData("\\", "\\")]
    [InlineData(" \\\\", "\" \\\\\\\\\"")]
    [InlineData("%PATH%^&|", "%PATH%^&|")]
    public void An_argument_is_quoted_as_the_C_runtime_splits_it(string argument, string expected) =>
        Assert.Equal($"\"p\" {expected}", CommandLine.Join("p", [argument]));

    [Fact]
    public void The_program_is_always_quoted() =>
        Assert.Equal("\"C:\\Program Files\\x.exe\" serve --target direct", CommandLine.Join(@"C:\Program Files\x.exe", ["serve", "--target", "direct"]));

    [Fact]
    public void Joined_arguments_are_split_again_by_Microsofts_rules()
    {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            string[] arguments = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => new string(random.GetItems("ab \t\"\\".AsSpan(), random.Next(8))))];
            Assert.Equal(arguments, Split(CommandLine.Join("p", arguments)["\"p\" ".Length..]));
        }
    }

    /// <summary>CommandLineToArgvW's rules for every argument but the first, written down a second time.</summary>
    private static List<string> Split(string line)
    {
        var arguments = new List<string>();
        int at = 0;
        while (true)
        {
            while (at < line.Length && line[at] is (' ' or '\t'))
                at++;
            if (at >= line.Length)
                return arguments;
            var argument = new System.Text.StringBuilder();
            bool quoted = false;
            while (at < line.Length && (quoted || line[at] is not (' ' or '\t')))
            {
                int backslashes = 0;
                while (at < line.Length && line[at] == '\\')
                {
                    backslashes++;
                    at++;
                }
                if (at < line.Length && line[at] == '"')
                {
                    argument.Append('\\', backslashes / 2);
                    if (backslashes % 2 == 1)
                        argument.Append('"');
                    else
                        quoted = !quoted;
                    at++;
                }
                else
                {
                    argument.Append('\\', backslashes);
                    if (backslashes == 0)
                        argument.Append(line[at++]);
                }
            }
            arguments.Add(argument.ToString());
        }
    }
}
