using Spectre.Console;

namespace OcspCluster.Cli;

/// <summary>Where a command prints: plain lines when output is a file or a pipe, colour and wrapping when it is a terminal. Not thread-safe.</summary>
internal sealed class Screen
{
    private const int LabelWidth = 12;

    /// <summary>A screen.</summary>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where complaints and progress go.</param>
    /// <param name="width">The columns of the terminal; null when output is none.</param>
    /// <param name="isErrorTerminal">Whether <paramref name="error"/> is a terminal, on which progress may be drawn.</param>
    /// <param name="hasColour">Whether a terminal gets colour.</param>
    public Screen(TextWriter output, TextWriter error, int? width = null, bool isErrorTerminal = false, bool hasColour = true)
    {
        Output = output;
        Error = error;
        IsTerminal = width is not null;
        HasProgress = isErrorTerminal;
        Console = Create(output, width, hasColour);
        ErrorConsole = Create(error, isErrorTerminal ? width ?? 80 : null, hasColour);
    }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    /// <summary>Whether output is a terminal.</summary>
    public bool IsTerminal { get; }

    /// <summary>Whether progress is drawn.</summary>
    public bool HasProgress { get; }

    /// <summary>The terminal; its tables and colours are for <see cref="IsTerminal"/> only.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>The terminal of <see cref="Error"/>.</summary>
    public IAnsiConsole ErrorConsole { get; }

    /// <summary>The screen of this process.</summary>
    public static Screen OfProcess()
    {
        bool hasColour = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb";
        int? width = System.Console.IsOutputRedirected ? null : TerminalWidth();
        return new Screen(System.Console.Out, System.Console.Error, width, !System.Console.IsErrorRedirected, hasColour);
    }

    /// <summary>A line, in a colour where there is one.</summary>
    public void Line(string text, Style? style = null)
    {
        if (IsTerminal)
        {
            Console.Write(new Text(Printable.Of(text), style ?? Style.Plain));
            Console.WriteLine();
        }
        else
        {
            Output.WriteLine(Printable.Of(text));
        }
    }

    /// <summary>A line of a headline's words, some in a colour.</summary>
    public void Line(params ReadOnlySpan<(string Text, Style Style)> parts)
    {
        if (IsTerminal)
        {
            Paragraph paragraph = new();
            foreach ((string text, Style style) in parts)
            {
                paragraph.Append(Printable.Of(text), style);
            }

            Console.Write(paragraph);
            Console.WriteLine();
            return;
        }

        foreach ((string text, _) in parts)
        {
            Output.Write(Printable.Of(text));
        }

        Output.WriteLine();
    }

    /// <summary>A label and its value, under a headline; on a terminal the value is wrapped under itself.</summary>
    public void Field(string label, string value, Style? style = null, Style? labelStyle = null)
    {
        if (!IsTerminal)
        {
            Output.WriteLine($"  {label.PadRight(LabelWidth)} {Printable.Of(value)}");
            return;
        }

        Grid grid = new();
        grid.AddColumn(new GridColumn { Width = LabelWidth, NoWrap = true, Padding = new Padding(2, 0, 1, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        grid.AddRow(new Text(label, labelStyle ?? new Style(Color.Grey)), new Text(Printable.Of(value), style ?? Style.Plain));
        Console.Write(grid);
    }

    /// <summary>A table on a terminal, else a line for each row with tabs between, without the headings.</summary>
    /// <param name="headings">The headings; the last column is wrapped where it must be, and those named with a <c>*</c> behind.</param>
    /// <param name="rows">The cells.</param>
    public void Table(string[] headings, IEnumerable<string[]> rows)
    {
        if (!IsTerminal)
        {
            foreach (string[] row in rows)
            {
                Output.WriteLine(string.Join('\t', row.Select(Printable.Of)));
            }

            return;
        }

        Table table = new() { Border = TableBorder.Simple };
        foreach (string heading in headings)
        {
            table.AddColumn(new TableColumn(heading.TrimEnd('*')) { Padding = new Padding(0, 0, 2, 0), NoWrap = !heading.EndsWith('*') && heading != headings[^1] });
        }

        foreach (string[] row in rows)
        {
            table.AddRow(row.Select(cell => new Text(Printable.Of(cell))));
        }

        Console.Write(table);
    }

    /// <summary>A complaint.</summary>
    public void Complain(string message)
    {
        string line = "ocspctl: " + Printable.Of(message);
        if (HasProgress)
        {
            ErrorConsole.Write(new Text(line)); // wrapped between words
            ErrorConsole.WriteLine();
        }
        else
        {
            Error.WriteLine(line);
        }
    }

    private static IAnsiConsole Create(TextWriter writer, int? width, bool hasColour)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = width is null || !hasColour ? AnsiSupport.No : AnsiSupport.Yes,
            ColorSystem = width is null || !hasColour ? ColorSystemSupport.NoColors : ColorSystemSupport.Standard,
            Interactive = width is null || !hasColour ? InteractionSupport.No : InteractionSupport.Yes,
        });
        console.Profile.Width = width ?? 80;
        console.Profile.Capabilities.Unicode = width is not null;
        return console;
    }

    private static int TerminalWidth()
    {
        try
        {
            return System.Console.WindowWidth is var width and > 0 ? width : 80;
        }
        catch (IOException)
        {
            return 80; // a terminal that does not tell
        }
    }
}
