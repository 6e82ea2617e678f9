using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>A message in the form of Standard Webhooks: the body, its id, and signatures over both. Immutable.</summary>
/// <param name="Id">Made from the body, so that the same body has the same id whenever it is sent, after a crash too.</param>
/// <param name="Body">The events as JSON.</param>
internal sealed record WebhookMessage(string Id, byte[] Body)
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.Default };

    /// <summary>Writes entries of one issuer down. Nothing in it depends on when that is done.</summary>
    public static WebhookMessage Of(string webhook, IssuerId issuer, IReadOnlyList<JournalEntry> entries, WebhookFormat format)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, s_options))
        {
            if (format == WebhookFormat.CloudEvents)
            {
                WriteCloudEvents(json, issuer, entries);
            }
            else
            {
                WriteEvents(json, issuer, entries);
            }
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(webhook));
        hash.AppendData([0]);
        hash.AppendData(buffer.WrittenSpan);
        return new WebhookMessage("msg_" + Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16)), buffer.WrittenSpan.ToArray());
    }

    /// <summary>The header <c>webhook-signature</c>: HMAC-SHA256 over id, timestamp and body, one for each secret.</summary>
    public string Sign(long timestamp, IEnumerable<byte[]> secrets)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Id}.{timestamp}.")), .. Body];
        return string.Join(' ', secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, signed))));
    }

    private static void WriteEvents(Utf8JsonWriter json, IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        json.WriteStartObject();
        json.WriteString("type", "certificates.changed");
        json.WriteString("timestamp", entries[^1].ReceivedAt);
        json.WriteStartObject("data");
        json.WriteStartArray("events");
        foreach (JournalEntry entry in entries)
        {
            json.WriteRawValue(ViewOf(issuer, entry), skipInputValidation: true);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // An event keeps the id that its CA gave it; ids are unique per issuer, which is the source.
    private static void WriteCloudEvents(Utf8JsonWriter json, IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        json.WriteStartArray();
        foreach (JournalEntry entry in entries)
        {
            json.WriteStartObject();
            json.WriteString("specversion", "1.0");
            json.WriteString("id", entry.Event.Id);
            json.WriteString("source", $"/v1/issuers/{issuer}");
            json.WriteString("type", $"ocspcluster.certificate.{HistoryView.NameOf(entry.Event.Kind)}");
            json.WriteString("subject", entry.Event.Serial.ToString());
            json.WriteString("time", entry.Event.At);
            json.WriteString("datacontenttype", "application/json");
            json.WriteString("sequence", entry.Position.ToString("D20", CultureInfo.InvariantCulture)); // the extension Sequence: compared as text
            json.WritePropertyName("data");
            json.WriteRawValue(ViewOf(issuer, entry), skipInputValidation: true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static byte[] ViewOf(IssuerId issuer, JournalEntry entry) =>
        FollowedEventView.ToJson(new FollowedEntry(issuer, entry, string.Create(CultureInfo.InvariantCulture, $"{issuer}:{entry.Position}")));
}
