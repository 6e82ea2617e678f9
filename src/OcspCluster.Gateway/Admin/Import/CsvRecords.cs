using System.Runtime.CompilerServices;
using System.Text;

namespace OcspCluster.Gateway;

/// <summary>A record of a CSV file: its fields, or what is wrong with it.</summary>
/// <param name="Line">The line that it begins on, from 1.</param>
/// <param name="Fields">Its fields, without quotes; empty when something is wrong.</param>
/// <param name="Problem">What is wrong; null when nothing is.</param>
internal readonly record struct CsvRecord(long Line, IReadOnlyList<string> Fields, string? Problem);

// file = record *(CRLF record) [CRLF]; record = field *(COMMA field); field = escaped / non-escaped;
// escaped = DQUOTE *(TEXTDATA / COMMA / CR / LF / 2DQUOTE) DQUOTE; non-escaped = *TEXTDATA      (RFC 4180 §2)
//
// Beside CRLF a bare LF ends a record, as everything but a spreadsheet writes it. Empty lines are left out. A quote within a field that does not begin with one is refused,
// and so is text behind a closing quote: who wrote it meant something else than it says.

/// <summary>Reads CSV (RFC 4180), a record at a time, in bounded memory.</summary>
internal static class CsvRecords
{
    /// <summary>The longest record, in characters.</summary>
    public const int MaxCharacters = 64 * 1024;

    /// <summary>Reads a file in UTF-8. What is wrong is among the results; the next record begins on the next line.</summary>
    public static async IAsyncEnumerable<CsvRecord> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using StreamReader reader = new(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16, leaveOpen: true);
        long line = 0;
        StringBuilder longer = new();
        long beginning = 0;
        while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } text)
        {
            line++;
            if (longer.Length == 0)
            {
                if (text.Length == 0)
                {
                    continue;
                }

                beginning = line;
                if (!text.Contains('"', StringComparison.Ordinal))
                {
                    yield return text.Length <= MaxCharacters ? new CsvRecord(line, text.Split(','), null) : TooLong(line);
                    continue;
                }
            }

            longer.Append(longer.Length == 0 ? "" : "\n").Append(text);
            if (longer.Length > MaxCharacters)
            {
                longer.Clear();
                yield return TooLong(beginning);
                continue;
            }

            if (Split(longer.ToString(), out List<string> fields) is not { } problem)
            {
                continue; // a quoted field goes on in the next line
            }

            longer.Clear();
            yield return new CsvRecord(beginning, problem.Length == 0 ? fields : [], problem.Length == 0 ? null : problem);
        }

        if (longer.Length > 0)
        {
            yield return new CsvRecord(beginning, [], "has a quote that is never closed");
        }
    }

    private static CsvRecord TooLong(long line) => new(line, [], $"is a record of more than {MaxCharacters} characters");

    // Null: a quoted field is not closed yet. Empty: all is well.
    private static string? Split(string record, out List<string> fields)
    {
        fields = [];
        int at = 0;
        while (true)
        {
            if (at < record.Length && record[at] == '"')
            {
                StringBuilder field = new();
                int close = ++at;
                while (true)
                {
                    close = record.IndexOf('"', close);
                    if (close < 0)
                    {
                        return null;
                    }

                    field.Append(record, at, close - at);
                    at = close + 1;
                    if (at >= record.Length || record[at] != '"')
                    {
                        break;
                    }

                    field.Append('"');
                    close = ++at;
                }

                fields.Add(field.ToString());
                if (at < record.Length && record[at] != ',')
                {
                    return "has text behind a closing quote";
                }
            }
            else
            {
                int comma = record.IndexOf(',', at);
                string field = record[at..(comma < 0 ? record.Length : comma)];
                if (field.Contains('"', StringComparison.Ordinal))
                {
                    return "has a quote within a field that does not begin with one";
                }

                fields.Add(field);
                at += field.Length;
            }

            if (at >= record.Length)
            {
                return "";
            }

            at++;
        }
    }
}
