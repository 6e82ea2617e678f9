using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Files of events: NDJSON as the feed takes it, and CSV with the same fields. Lines that are no event are among the results.</summary>
internal static class EventFile
{
    /// <summary>The columns of a CSV file, and the feed's fields that they are.</summary>
    public static readonly IReadOnlyDictionary<string, string> Columns = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["id"] = "id",
        ["serial"] = "serial",
        ["kind"] = "kind",
        ["at"] = "at",
        ["reason"] = "reason",
        ["invalidity_date"] = "invalidityDate",
        ["not_after"] = "notAfter",
    };

    private static readonly string[] s_required = ["serial", "kind", "at"];

    /// <summary>Reads events, one per line.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="maxLineBytes">The longest line.</param>
    /// <param name="hasIssued">Whether a certificate that comes with an event is the issuer's.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async IAsyncEnumerable<ImportedEvent> ReadNdjsonAsync(
        Stream stream, int maxLineBytes, Func<IssuedCertificate, bool> hasIssued, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        PipeReader pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 1 << 16, leaveOpen: true));
        LineReader lines = new(pipe, maxLineBytes);
        List<ImportedEvent> read = [];
        bool goesOn = true;
        while (goesOn)
        {
            goesOn = await lines.ReadAsync(
                line => read.Add(EventReader.TryReadLine(line, out SentEvent? sent, out EventProblem problem) ? Judge(lines.Line, sent, hasIssued) : Wrong(lines.Line, Describe(problem))),
                cancellationToken).ConfigureAwait(false);
            foreach (ImportedEvent one in read)
            {
                yield return one;
            }

            read.Clear();
        }

        await pipe.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>Reads a table whose first record names the columns. Where there is no column <c>id</c>, or the field is empty, the id is made of the others.</summary>
    public static async IAsyncEnumerable<ImportedEvent> ReadCsvAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string[]? columns = null;
        await foreach (CsvRecord record in CsvRecords.ReadAsync(stream, cancellationToken).ConfigureAwait(false))
        {
            if (record.Problem is not null)
            {
                yield return Wrong(record.Line, record.Problem);
                if (columns is null)
                {
                    yield break;
                }
            }
            else if (columns is null)
            {
                columns = [.. record.Fields.Select(field => field.Trim())];
                if (FindFault(columns) is string fault)
                {
                    yield return Wrong(record.Line, fault); // what the others would mean nobody knows
                    yield break;
                }
            }
            else
            {
                yield return Read(record, columns);
            }
        }
    }

    private static string? FindFault(string[] columns)
    {
        if (columns.FirstOrDefault(column => !Columns.ContainsKey(column)) is string unknown)
        {
            return $"is the header and names a column '{unknown}'; there are {string.Join(", ", Columns.Keys)}";
        }

        if (columns.GroupBy(column => column, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            return $"is the header and names the column '{twice.Key}' twice";
        }

        return s_required.FirstOrDefault(required => !columns.Contains(required, StringComparer.OrdinalIgnoreCase)) is string missing
            ? $"is the header and has no column '{missing}'"
            : null;
    }

    private static ImportedEvent Read(CsvRecord record, string[] columns)
    {
        if (record.Fields.Count != columns.Length)
        {
            return Wrong(record.Line, $"has {record.Fields.Count} fields, the header {columns.Length}");
        }

        EventFields fields = new();
        for (int i = 0; i < columns.Length; i++)
        {
            if (fields.TakeText(Columns[columns[i]], record.Fields[i].Trim()) is string problem)
            {
                return Wrong(record.Line, $"{columns[i]} {problem}");
            }
        }

        fields.MakeId("csv");
        return fields.Finish(out SentEvent? sent) is { } missing ? Wrong(record.Line, Describe(missing)) : new ImportedEvent(record.Line, sent!.Event, null);
    }

    private static ImportedEvent Judge(long line, SentEvent sent, Func<IssuedCertificate, bool> hasIssued) => sent.FindRefusal(hasIssued) is { } refusal
        ? new ImportedEvent(line, null, new ImportProblem(line, $"Line {line} was refused: {refusal.ToSentence()}."))
        : new ImportedEvent(line, sent.Event, null);

    private static string Describe(EventProblem problem) => problem.Field.Length == 0 ? problem.Problem : $"{problem.Field} {problem.Problem}";

    private static ImportedEvent Wrong(long line, string problem) => new(line, null, new ImportProblem(line, $"Line {line}: {problem}."));
}
