using System.Globalization;
using System.Net.Http.Headers;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>A webhook: a signed POST for each batch.</summary>
internal sealed class WebhookReceiver(WebhookOptions options, TimeProvider clock) : Receiver(options, "webhook")
{
    private readonly DeliveryClient _client = new(options, clock);

    public override string Origin => options.Url!.GetLeftPart(UriPartial.Authority);

    public override bool Wants(IssuerId issuer, JournalEntry entry) => options.Kinds.Count == 0 || options.Kinds.Contains(entry.Event.Kind);

    public override async Task<DeliveryResult> DeliverAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries, CancellationToken cancellationToken)
    {
        List<byte[]> secrets = [];
        try
        {
            secrets.AddRange(options.SecretFiles.Select(WebhookSecret.Read));
        }
        catch (InvalidDataException e)
        {
            return DeliveryResult.Failed(e.Message);
        }

        WebhookMessage message = WebhookMessage.Of(options.Name, issuer, entries, options.Format);
        long timestamp = clock.GetUtcNow().ToUnixTimeSeconds();
        using HttpRequestMessage request = new(HttpMethod.Post, options.Url) { Content = new ByteArrayContent(message.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(options.Format == WebhookFormat.CloudEvents ? "application/cloudevents-batch+json" : "application/json");
        request.Headers.Add("webhook-id", message.Id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", message.Sign(timestamp, secrets));
        return await _client.SendAsync(request, [], cancellationToken).ConfigureAwait(false);
    }

    public override void Dispose() => _client.Dispose();
}
