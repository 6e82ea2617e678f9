using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>A cache that forgets every key of a certificate whose status changed. Entries are told of once they are published, so what it fetches then is the new answer.</summary>
internal sealed class PurgeReceiver : Receiver
{
    private const int RequestsAtOnce = 4;
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }; // '+' as it is: some parsers of caches compare text

    private readonly PurgeOptions _options;
    private readonly Dictionary<IssuerId, Issuer> _issuers;
    private readonly IReadOnlyList<CertIdHash> _hashes;
    private readonly bool _isUnauthorizedCached;
    private readonly TimeProvider _clock;
    private readonly DeliveryClient _client;
    private readonly HttpMethod _method;
    private readonly Lock _paceLock = new();
    private long _nextTurn = long.MinValue;

    public PurgeReceiver(PurgeOptions options, IssuerDirectory directory, OcspGatewayOptions gateway, TimeProvider clock)
        : base(options, "purge")
    {
        _options = options;
        _issuers = directory.Issuers.ToDictionary(issuer => issuer.Id);
        _hashes = directory.Hashes;
        _isUnauthorizedCached = gateway.UnauthorizedMaxAge > TimeSpan.Zero;
        _clock = clock;
        _client = new DeliveryClient(options, clock);
        _method = new HttpMethod(options.Method ?? (options.Style == PurgeStyle.Url ? "PURGE" : "POST"));
    }

    public override string Origin => (_options.Url ?? _options.PublicUrls[0]).GetLeftPart(UriPartial.Authority);

    public override bool Wants(IssuerId issuer, JournalEntry entry) => _options.Kinds.Count > 0
        ? _options.Kinds.Contains(entry.Event.Kind)
        : entry.Event.Kind != EventKind.Issued || MayCacheUnissued(_issuers[issuer].Policy);

    public override async Task<DeliveryResult> DeliverAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries, CancellationToken cancellationToken)
    {
        string? authorization;
        try
        {
            authorization = _options.AuthorizationFile is null ? null : WebhookSecret.ReadLine(_options.AuthorizationFile);
        }
        catch (InvalidDataException e)
        {
            return DeliveryResult.Failed(e.Message);
        }

        IEnumerable<string> keys = entries.Select(entry => entry.Event.Serial).Distinct().SelectMany(serial => CacheKeys.Of(_issuers[issuer], serial, _hashes, _options.PublicUrls));
        IEnumerable<Func<HttpRequestMessage>> requests = _options.Style == PurgeStyle.Url
            ? keys.Select(key => (Func<HttpRequestMessage>)(() => ForOne(key)))
            : keys.Chunk(_options.ChunkSize).Select(chunk => (Func<HttpRequestMessage>)(() => ForMany(chunk)));
        return await SendAllAsync(requests, authorization, cancellationToken).ConfigureAwait(false);
    }

    public override void Dispose() => _client.Dispose();

    // All of them or it has to be done again: to purge twice does no harm.
    private async Task<DeliveryResult> SendAllAsync(IEnumerable<Func<HttpRequestMessage>> requests, string? authorization, CancellationToken cancellationToken)
    {
        ConcurrentQueue<DeliveryResult> failures = new();
        using CancellationTokenSource failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            ParallelOptions parallel = new() { MaxDegreeOfParallelism = RequestsAtOnce, CancellationToken = failed.Token };
            await Parallel.ForEachAsync(requests, parallel, async (create, token) =>
            {
                await WaitForTurnAsync(token).ConfigureAwait(false);
                using HttpRequestMessage request = create();
                foreach ((string name, string value) in _options.Headers)
                {
                    AddHeader(request, name, value);
                }

                if (authorization is not null)
                {
                    AddHeader(request, _options.AuthorizationHeader, authorization);
                }

                DeliveryResult result = await _client.SendAsync(request, _options.NotCached, token).ConfigureAwait(false);
                if (result.Outcome != DeliveryOutcome.Delivered)
                {
                    failures.Enqueue(result);
                    await failed.CancelAsync().ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // One failed, which is told below.
        }

        return failures.TryDequeue(out DeliveryResult first) ? first : DeliveryResult.Delivered;
    }

    private static void AddHeader(HttpRequestMessage request, string name, string value)
    {
        if (!request.Headers.TryAddWithoutValidation(name, value))
        {
            request.Content?.Headers.Remove(name);
            request.Content?.Headers.TryAddWithoutValidation(name, value);
        }
    }

    // The target must reach the cache as relying parties spell it: no part of it may be unescaped, merged or put in other letters.
    private HttpRequestMessage ForOne(string key)
    {
        Uri publicUrl = new(key, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        if (_options.Url is not { } cache)
        {
            return new HttpRequestMessage(_method, publicUrl);
        }

        string target = cache.GetLeftPart(UriPartial.Path).TrimEnd('/') + CacheKeys.PathOf(key);
        HttpRequestMessage request = new(_method, new Uri(target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        request.Headers.Host = publicUrl.Authority;
        return request;
    }

    private HttpRequestMessage ForMany(string[] keys)
    {
        string body = _options.Body
            .Replace("$urls", JsonSerializer.Serialize(keys, s_json), StringComparison.Ordinal)
            .Replace("$paths", JsonSerializer.Serialize(keys.Select(CacheKeys.PathOf), s_json), StringComparison.Ordinal);
        HttpRequestMessage request = new(_method, _options.Url) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return request;
    }

    // A serial that was asked for before it was issued: what was answered then may be in a cache where such answers may be cached at all.
    private bool MayCacheUnissued(IssuerPolicy policy) =>
        policy.Inventory == Inventory.Known && (policy.Unissued == UnissuedAnswer.Unauthorized ? _isUnauthorizedCached : policy.MaxAge > TimeSpan.Zero);

    // Evenly, one second's worth at most at once.
    private Task WaitForTurnAsync(CancellationToken cancellationToken)
    {
        long turn;
        long now = _clock.GetTimestamp();
        long interval = _clock.TimestampFrequency / _options.RequestsPerSecond;
        lock (_paceLock)
        {
            turn = Math.Max(_nextTurn, now - _clock.TimestampFrequency + interval);
            _nextTurn = turn + interval;
        }

        TimeSpan wait = _clock.GetElapsedTime(now, turn);
        return wait > TimeSpan.Zero ? Task.Delay(wait, _clock, cancellationToken) : Task.CompletedTask;
    }
}
