using System.Buffers;
using System.Text.Json;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Writes an answer of one JSON object per line; progress at most once a second. Thread-safe.</summary>
internal sealed class ProgressLines(OutcomeSpool spool, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private long _toldAt = long.MinValue;

    /// <summary>Writes a line with one property.</summary>
    public void Write(string name, Action<Utf8JsonWriter> fields)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject(name);
            fields(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        spool.Write(buffer.WrittenSpan.ToArray());
    }

    /// <summary>Writes a line <c>progress</c>, unless the last one was a moment ago.</summary>
    public void WriteProgress(Action<Utf8JsonWriter> fields)
    {
        lock (_gate)
        {
            long now = clock.GetTimestamp();
            if (_toldAt != long.MinValue && clock.GetElapsedTime(_toldAt, now) < TimeSpan.FromSeconds(1))
            {
                return;
            }

            _toldAt = now;
        }

        Write("progress", fields);
    }

    /// <summary>What was answered stands; of the rest nothing is known, and the summary is missing.</summary>
    public void WriteFailure(RevocationStoreException failure) => Write("error", writer =>
    {
        writer.WriteNumber("status", 503);
        writer.WriteString("title", AdminProblems.OutcomeUnknown);
        writer.WriteString("detail", failure.Message);
    });

    /// <summary>The counts of an import.</summary>
    public static void WriteCounts(Utf8JsonWriter writer, ImportProgress progress)
    {
        writer.WriteNumber("lines", progress.Lines);
        writer.WriteNumber("settled", progress.Settled);
        writer.WriteNumber("applied", progress.Applied);
        writer.WriteNumber("duplicate", progress.Duplicates);
        writer.WriteNumber("unchanged", progress.Unchanged);
        writer.WriteNumber("problems", progress.Problems);
    }
}
