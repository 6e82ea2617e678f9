using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>Reads the lines of a <see cref="JournalExport"/>. Whatever a line holds, the outcome is its meaning or null.</summary>
internal static class ExportLine
{
    // A member of the same name twice could mean one thing to us and another to the next reader.
    private static readonly JsonDocumentOptions s_options = new() { AllowDuplicateProperties = false };

    private static readonly Dictionary<string, EventKind> s_kinds = Enum.GetValues<EventKind>().ToDictionary(JournalExport.KindName);
    private static readonly Dictionary<string, CertificateState> s_states = Enum.GetValues<CertificateState>().ToDictionary(JournalExport.StateName);

    public static IssuerId? ReadHeader(byte[] line) => Read(line, json =>
        json.GetProperty("format").GetString() == JournalExport.Format && json.GetProperty("issuer").GetString() is { } issuer && IssuerId.IsValid(issuer)
            ? new IssuerId(issuer)
            : (IssuerId?)null);

    public static string? ReadCheckpoint(byte[] line) => Read(line, json => json.TryGetProperty("checkpoint", out JsonElement note) ? note.GetString() : null);

    public static ChainedEntry? ReadEntry(byte[] line) => Read(line, json =>
    {
        JsonElement @event = json.GetProperty("event");
        JsonElement status = json.GetProperty("status");
        JsonElement submitter = json.GetProperty("submitter");
        long position = json.GetProperty("position").GetInt64();
        JournalEntry entry = new(
            position,
            new RevocationEvent
            {
                Id = @event.GetProperty("id").GetString() ?? throw new FormatException(),
                Serial = SerialNumber.FromContent(Convert.FromHexString(@event.GetProperty("serial").GetString() ?? "")),
                Kind = s_kinds[@event.GetProperty("kind").GetString() ?? ""],
                At = ReadInstant(@event, "at") ?? throw new FormatException(),
                Reason = ReadReason(@event),
                InvalidityDate = ReadInstant(@event, "invalidityDate"),
                NotAfter = ReadInstant(@event, "notAfter"),
            },
            ReadInstant(json, "receivedAt") ?? throw new FormatException(),
            new CertificateStatus
            {
                State = s_states[status.GetProperty("state").GetString() ?? ""],
                RevocationTime = ReadInstant(status, "revocationTime"),
                Reason = ReadReason(status),
                InvalidityDate = ReadInstant(status, "invalidityDate"),
                NotAfter = ReadInstant(status, "notAfter"),
                RecordedAt = ReadInstant(status, "recordedAt"),
                Position = position,
            })
        {
            Submitter = new Submitter(ReadText(submitter, "credential"), ReadText(submitter, "remoteAddress")),
        };
        return Digest.TryParse(json.GetProperty("hash").GetString(), out Digest hash) ? new ChainedEntry(entry, hash) : null;
    });

    /// <summary>The octets of the next line; null at the end, and where a line is longer than any entry can be.</summary>
    public static async ValueTask<byte[]?> ReadNextAsync(PipeReader lines, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read = await lines.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                byte[] line = read.Buffer.Slice(0, end).ToArray();
                lines.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }

            bool isOver = read.IsCompleted || read.Buffer.Length > JournalExportVerifier.MaxLineBytes;
            byte[]? last = read.IsCompleted && !read.Buffer.IsEmpty ? read.Buffer.ToArray() : null;
            lines.AdvanceTo(isOver ? read.Buffer.End : read.Buffer.Start, read.Buffer.End);
            if (isOver)
            {
                return last;
            }
        }
    }

    private static T? Read<T>(byte[] line, Func<JsonElement, T?> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, s_options);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            return default; // what the reader of JSON and of its values say of wrong syntax, kind, absence and value
        }
    }

    private static string? ReadText(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private static RevocationReason? ReadReason(JsonElement json) => json.TryGetProperty("reason", out JsonElement value) ? (RevocationReason)value.GetInt32() : null;

    private static DateTimeOffset? ReadInstant(JsonElement json, string name) => ReadText(json, name) is { } text
        ? DateTimeOffset.ParseExact(text, JournalExport.InstantFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal)
        : null;
}
