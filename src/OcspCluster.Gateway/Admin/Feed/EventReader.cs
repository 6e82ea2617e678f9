using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace OcspCluster.Gateway;

/// <summary>Reads events out of JSON: our own form, and CloudEvents 1.0 whose <c>data</c> has our fields.</summary>
internal static class EventReader
{
    /// <summary>How strictly JSON is read.</summary>
    public static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Reads an event of our own form.</summary>
    public static bool TryRead(JsonElement json, [NotNullWhen(true)] out SentEvent? sent, out EventProblem problem) =>
        TryRead(json, TakeFields, out sent, out problem);

    /// <summary>Reads an event of our own form from a line of a stream; null stands for one that was too long to be kept.</summary>
    public static bool TryReadLine(ReadOnlySequence<byte>? line, [NotNullWhen(true)] out SentEvent? sent, out EventProblem problem)
    {
        sent = null;
        if (line is null)
        {
            problem = new EventProblem("", "the line is too long");
            return false;
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(line.Value, Strict);
            return TryRead(json.RootElement, out sent, out problem);
        }
        catch (JsonException e)
        {
            problem = new EventProblem("", $"the line is not JSON as RFC 8259 has it, names once per object: {e.Message}");
            return false;
        }
    }

    /// <summary>Reads a CloudEvent in structured form (CloudEvents 1.0.2 §3, JSON format §3).</summary>
    public static bool TryReadCloudEvent(JsonElement json, [NotNullWhen(true)] out SentEvent? sent, out EventProblem problem) =>
        TryRead(json, TakeEnvelope, out sent, out problem);

    private static bool TryRead(
        JsonElement json, Func<JsonElement, EventFields, EventProblem?> take, [NotNullWhen(true)] out SentEvent? sent, out EventProblem problem)
    {
        sent = null;
        EventFields fields = new();
        EventProblem? found;
        try
        {
            found = json.ValueKind == JsonValueKind.Object ? take(json, fields) : new EventProblem("", "an event is an object");
        }
        catch (InvalidOperationException)
        {
            // The JSON reader looks at the encoding of a text when it is asked for it.
            found = new EventProblem("", "a text is not well-formed Unicode");
        }

        found ??= fields.Finish(out sent);
        problem = found ?? default;
        return sent is not null;
    }

    private static EventProblem? TakeFields(JsonElement json, EventFields fields)
    {
        foreach (JsonProperty property in json.EnumerateObject())
        {
            if (fields.Take(NameOf(property), property.Value) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    // A field's name is one of a few, and no text of its own for each event.
    private static string NameOf(JsonProperty property)
    {
        foreach (string name in EventFields.Names)
        {
            if (property.NameEquals(name))
            {
                return name;
            }
        }

        return property.Name;
    }

    private static EventProblem? TakeEnvelope(JsonElement json, EventFields fields)
    {
        foreach (JsonProperty attribute in json.EnumerateObject())
        {
            if (CheckAttribute(attribute, fields) is string problem)
            {
                return new EventProblem(attribute.Name, problem);
            }
        }

        foreach (string required in s_required)
        {
            if (!json.TryGetProperty(required, out _))
            {
                return new EventProblem(required, "is missing");
            }
        }

        if (TakeData(json, fields) is { } inData)
        {
            return inData;
        }

        // What the data leaves out, the context says.
        if (!fields.HasKind && EventFields.Text(json.GetProperty("type")) is string type && fields.TakeKind(type[(type.LastIndexOf('.') + 1)..]) is not null)
        {
            return new EventProblem("type", "ends in none of issued, revoked, held, released, and data has no kind");
        }

        if (!fields.HasSerial && json.TryGetProperty("subject", out JsonElement subject) && EventFields.Text(subject) is string serial && fields.TakeSerial(serial) is string notSerial)
        {
            return new EventProblem("subject", notSerial);
        }

        return !fields.HasAt && json.TryGetProperty("time", out JsonElement time) && fields.TakeAt(time) is string notTime ? new EventProblem("time", notTime) : null;
    }

    private static readonly string[] s_required = ["specversion", "id", "source", "type"];

    private static string? CheckAttribute(JsonProperty attribute, EventFields fields) => attribute.Name switch
    {
        "specversion" => EventFields.Text(attribute.Value) == "1.0" ? null : "is not \"1.0\"",
        "id" => fields.TakeId(attribute.Value),
        "source" or "type" or "subject" or "dataschema" => EventFields.Text(attribute.Value) is { Length: > 0 } ? null : "is not a string of at least one character",
        "datacontenttype" => EventFields.Text(attribute.Value)?.Split(';')[0].Trim() is "application/json" ? null : "is not application/json",
        "time" => EventFields.Text(attribute.Value) is null ? EventFields.NotText : null,
        "data" => attribute.Value.ValueKind == JsonValueKind.Object ? null : "is not an object",
        "data_base64" => "is not taken: the fields of the event belong into data",
        _ when attribute.Name.All(char.IsAsciiLetterOrDigit) => null, // extension attributes are anybody's
        _ => "is no name of a CloudEvents attribute",
    };

    private static EventProblem? TakeData(JsonElement json, EventFields fields)
    {
        if (!json.TryGetProperty("data", out JsonElement data))
        {
            return null;
        }

        foreach (JsonProperty property in data.EnumerateObject())
        {
            EventProblem? problem = property.NameEquals("id") ? new EventProblem("id", "belongs beside data, not into it") : fields.Take(NameOf(property), property.Value);
            if (problem is { } found)
            {
                return found with { Field = "data." + found.Field };
            }
        }

        return null;
    }
}
