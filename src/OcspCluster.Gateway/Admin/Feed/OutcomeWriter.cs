using System.Buffers;
using System.Text.Json;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>How outcomes look on the wire.</summary>
internal static class OutcomeWriter
{
    /// <summary>The answer to a batch: an outcome per event, in order, and the highest position among them.</summary>
    public static void WriteBatch(IBufferWriter<byte> destination, IReadOnlyList<EventOutcome> outcomes)
    {
        using Utf8JsonWriter writer = new(destination);
        writer.WriteStartObject();
        writer.WriteStartArray("outcomes");
        for (int i = 0; i < outcomes.Count; i++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index", i);
            WriteFields(writer, outcomes[i]);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteNumber("position", outcomes.Max(outcome => outcome.Position));
        writer.WriteEndObject();
    }

    /// <summary>One line of the answer to a stream.</summary>
    public static void WriteLine(Utf8JsonWriter writer, long line, EventOutcome outcome)
    {
        writer.WriteStartObject();
        writer.WriteNumber("line", line);
        WriteFields(writer, outcome);
        writer.WriteEndObject();
    }

    /// <summary>A line that is no event.</summary>
    public static void WriteMalformedLine(Utf8JsonWriter writer, long line, EventProblem problem)
    {
        writer.WriteStartObject();
        writer.WriteNumber("line", line);
        writer.WriteString("outcome", "malformed");
        if (problem.Field.Length > 0)
        {
            writer.WriteString("field", problem.Field);
        }

        writer.WriteString("detail", problem.Problem);
        writer.WriteEndObject();
    }

    /// <summary>The name of a refusal: its own, beginning in lower case.</summary>
    public static string NameOf(EventRefusal refusal) => JsonNamingPolicy.CamelCase.ConvertName(refusal.ToString());

    private static void WriteFields(Utf8JsonWriter writer, EventOutcome outcome)
    {
        writer.WriteString("id", outcome.EventId);
        writer.WriteString("outcome", outcome.Kind switch
        {
            EventOutcomeKind.Applied => "applied",
            EventOutcomeKind.Duplicate => "duplicate",
            _ => "refused",
        });
        writer.WriteNumber("position", outcome.Position);
        if (outcome.Refusal is { } refusal)
        {
            writer.WriteString("reason", NameOf(refusal));
            writer.WriteString("detail", refusal.ToSentence());
        }
    }
}
