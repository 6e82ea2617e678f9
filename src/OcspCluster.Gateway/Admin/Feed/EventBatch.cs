using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace OcspCluster.Gateway;

/// <summary>The forms in which events are sent.</summary>
internal enum EventForm
{
    /// <summary>One event, an array of them, or an object with <c>events</c>.</summary>
    Json,

    /// <summary>One CloudEvent.</summary>
    CloudEvent,

    /// <summary>An array of CloudEvents.</summary>
    CloudEventBatch,

    /// <summary>One event per line.</summary>
    Lines,
}

/// <summary>A body that is read as a whole: all of its events, or what is wrong with them. Nothing is applied of one that has a fault.</summary>
internal sealed class EventBatch
{
    private const int MaxProblems = 100;

    private readonly List<SentEvent> _events = [];
    private readonly List<IndexedProblem> _problems = [];

    private EventBatch()
    {
    }

    /// <summary>What a POST may carry, for <c>Accept-Post</c>.</summary>
    public const string MediaTypes = "application/json, application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson";

    /// <summary>The events, when there are no problems.</summary>
    public IReadOnlyList<SentEvent> Events => _events;

    /// <summary>What is wrong, the first hundred.</summary>
    public IReadOnlyList<IndexedProblem> Problems => _problems;

    /// <summary>How many events the body has.</summary>
    public int Count { get; private set; }

    /// <summary>The form that a content type announces; null for one that is none of ours.</summary>
    public static EventForm? FormOf(string? contentType)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type) || (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            return null;
        }

        return type.MediaType.Value?.ToLowerInvariant() switch
        {
            "application/json" => EventForm.Json,
            "application/cloudevents+json" => EventForm.CloudEvent,
            "application/cloudevents-batch+json" => EventForm.CloudEventBatch,
            "application/x-ndjson" or "application/ndjson" => EventForm.Lines,
            _ => null,
        };
    }

    /// <summary>Reads a body.</summary>
    /// <exception cref="BadHttpRequestException">It is too long.</exception>
    public static async Task<EventBatch> ReadAsync(Stream body, EventForm form, int maxEvents, CancellationToken cancellationToken)
    {
        EventBatch batch = new();
        try
        {
            using JsonDocument json = await JsonDocument.ParseAsync(body, EventReader.Strict, cancellationToken).ConfigureAwait(false);
            batch.Read(json.RootElement, form, maxEvents);
        }
        catch (JsonException e)
        {
            batch.Report(null, "", $"is not JSON as RFC 8259 has it, names once per object: {e.Message}");
        }

        return batch;
    }

    private void Read(JsonElement root, EventForm form, int maxEvents)
    {
        bool isCloud = form is EventForm.CloudEvent or EventForm.CloudEventBatch;
        if (form == EventForm.Json && root.ValueKind == JsonValueKind.Object && root.TryGetProperty("events", out JsonElement events))
        {
            foreach (JsonProperty other in root.EnumerateObject().Where(property => !property.NameEquals("events")))
            {
                Report(null, other.Name, "is no field of a batch, which has events and nothing else");
            }

            root = events;
            if (root.ValueKind != JsonValueKind.Array)
            {
                Report(null, "events", "is not an array");
                return;
            }
        }

        if (root.ValueKind == JsonValueKind.Array && form != EventForm.CloudEvent)
        {
            ReadMany(root, isCloud, maxEvents);
        }
        else if (form == EventForm.CloudEventBatch)
        {
            Report(null, "", "a batch of CloudEvents is an array");
        }
        else
        {
            Take(root, isCloud);
        }
    }

    private void ReadMany(JsonElement array, bool isCloud, int maxEvents)
    {
        Count = array.GetArrayLength();
        if (Count == 0)
        {
            Report(null, "events", "has no event: at least one");
        }

        if (Count > maxEvents)
        {
            return;
        }

        Count = 0;
        foreach (JsonElement element in array.EnumerateArray())
        {
            Take(element, isCloud);
        }
    }

    private void Take(JsonElement json, bool isCloud)
    {
        int index = Count++;
        bool isRead = isCloud ? EventReader.TryReadCloudEvent(json, out SentEvent? sent, out EventProblem problem) : EventReader.TryRead(json, out sent, out problem);
        if (isRead)
        {
            _events.Add(sent!);
        }
        else
        {
            Report(index, problem.Field, problem.Problem);
        }
    }

    private void Report(int? index, string field, string problem)
    {
        if (_problems.Count < MaxProblems)
        {
            _problems.Add(new IndexedProblem(index, field.Length == 0 ? null : field, problem));
        }
    }
}

/// <summary>What is wrong with one event of a batch.</summary>
/// <param name="Index">Which event, from 0; null when it is the batch itself.</param>
/// <param name="Field">Which field; null when it is the event, or the batch, as a whole.</param>
/// <param name="Problem">What is wrong, in words that follow the field's name.</param>
internal sealed record IndexedProblem(int? Index, string? Field, string Problem)
{
    public override string ToString() =>
        (Index, Field) switch
        {
            (null, null) => $"The body {Problem}.",
            (null, _) => $"{Field} {Problem}.",
            (_, null) => $"Event {Index}: {Problem}.",
            _ => $"Event {Index}: {Field} {Problem}.",
        };
}
