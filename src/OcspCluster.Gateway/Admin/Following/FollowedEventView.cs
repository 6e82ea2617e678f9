using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OcspCluster.Gateway;

/// <summary>An event as followers get it: what the CA told, and what the certificate's status is since then. What is absent is left out.</summary>
internal sealed record FollowedEventView(
    string Issuer,
    long Position,
    [property: Description("What to give as after, or as Last-Event-ID, to go on behind this event.")] string Cursor,
    string Id,
    string Serial,
    string Kind,
    DateTimeOffset At,
    string? Reason,
    DateTimeOffset? InvalidityDate,
    DateTimeOffset? NotAfter,
    DateTimeOffset ReceivedAt,
    FollowedStatusView Status)
{
    // Escapes whatever could end a line, so that one event is one line.
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static byte[] ToJson(FollowedEntry followed)
    {
        CertificateStatusView status = CertificateStatusView.Of(followed.Entry.Event.Serial, followed.Entry.Status);
        HistoryView told = HistoryView.Of(followed.Entry);
        return JsonSerializer.SerializeToUtf8Bytes(
            new FollowedEventView(
                followed.Issuer.ToString(), told.Position, followed.Cursor, told.Id, status.Serial, told.Kind, told.At, told.Reason, told.InvalidityDate, told.NotAfter, told.ReceivedAt,
                new FollowedStatusView(status.Status, status.RevocationTime, status.Reason, status.InvalidityDate, status.NotAfter)),
            s_options);
    }
}

/// <summary>The status that followed from an event.</summary>
internal sealed record FollowedStatusView(string Status, DateTimeOffset? RevocationTime, string? Reason, DateTimeOffset? InvalidityDate, DateTimeOffset? NotAfter);
