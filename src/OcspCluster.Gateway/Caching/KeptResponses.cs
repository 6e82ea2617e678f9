using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// Answers that outlive the process and the cache
//
//     ResponseCache.Stored ──→ bounded queue ──→ IResponseStore.SaveAsync in batches          nobody waits for it; what finds the queue full is not kept
//     a miss ──→ status is read ──→ IResponseStore.FindAsync ──→ ResponseFactory.Restore ──→ ResponseCache        else it is signed
//
// What is kept is no truth. The status is read first, as for every answer, and a kept one is taken only if it was made from that very status (the same journal position)
// and passes all that a new one has to pass. So nothing has to be deleted when a certificate is revoked, and nothing is lost when the file is.

/// <summary>Keeps signed answers of issuers that presign, and finds them again when the cache has not got them. Thread-safe.</summary>
public sealed partial class KeptResponses : BackgroundService
{
    private const int MaxQueued = 16_384;
    private const int MaxBatch = 1024;

    private readonly IResponseStore _store;
    private readonly ResponseFactory _factory;
    private readonly TimeProvider _clock;
    private readonly ILogger<KeptResponses> _log;
    private readonly Dictionary<IssuerId, KeptIssuer> _issuers;
    private readonly Channel<(IssuerId Issuer, CachedResponse Response)> _queue =
        Channel.CreateBounded<(IssuerId, CachedResponse)>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
    private readonly SigningFlights _restoring = new();
    private readonly Meter _meter = new("OcspCluster.KeptResponses");
    private readonly Counter<long> _saved;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _restored;
    private long _pending;
    private bool _isFailing;

    /// <summary>Listens to the cache from now on.</summary>
    /// <param name="store">Where answers are kept.</param>
    /// <param name="directory">The issuers; answers of those that presign nothing are not kept.</param>
    /// <param name="cache">Tells of new answers.</param>
    /// <param name="factory">Judges those that were kept.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="log">Hears of a store that fails.</param>
    public KeptResponses(IResponseStore store, IssuerDirectory directory, ResponseCache cache, ResponseFactory factory, TimeProvider clock, ILogger<KeptResponses> log)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(cache);
        _store = store;
        _factory = factory;
        _clock = clock;
        _log = log;
        _issuers = directory.Issuers.Where(issuer => issuer.Policy.Presign != Presign.OnDemand).ToDictionary(issuer => issuer.Id, _ => new KeptIssuer());
        _saved = _meter.CreateCounter<long>("ocsp.kept.saved", "{answer}", "Answers that were kept");
        _dropped = _meter.CreateCounter<long>("ocsp.kept.dropped", "{answer}", "Answers that were not kept, because the queue was full or the store failed");
        _restored = _meter.CreateCounter<long>("ocsp.kept.restored", "{answer}", "Answers that were found again instead of signed");
        cache.Stored += OnStored;
    }

    /// <summary>Everything that is kept for an issuer, whether it may be given or not.</summary>
    internal IAsyncEnumerable<KeptResponse> ReadAsync(IssuerId issuer, CancellationToken cancellationToken) => _store.ReadAsync(issuer, cancellationToken);

    /// <summary>Has what was kept until now signed anew as soon as it is found: until then it is given only where nothing newer can be signed.</summary>
    internal void MakeDue(IssuerId issuer)
    {
        if (_issuers.TryGetValue(issuer, out KeptIssuer? kept))
        {
            kept.DueBefore = _clock.GetUtcNow();
        }
    }

    /// <summary>Waits until all is saved that is in the queue.</summary>
    internal async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref _pending) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>The answer that was kept, put into the cache; null when there is none that may be given.</summary>
    /// <param name="issuer">Whose certificate is asked about.</param>
    /// <param name="answered">What is to be said of it.</param>
    /// <param name="preferred">Who is to have signed; null for the default.</param>
    /// <param name="status">Its status, read for this answer.</param>
    /// <param name="key">Tells apart what is looked for.</param>
    /// <param name="store">Puts it into the cache, unless the status changed meanwhile.</param>
    internal async ValueTask<CachedResponse?> RestoreAsync(
        NamedIssuer issuer, AnsweredCertId answered, SigningCredential? preferred, CertificateStatus? status, SigningFlights.Key key, Func<CachedResponse, CachedResponse?> store)
    {
        if (status is not { Position: > 0 } || !_issuers.ContainsKey(issuer.Issuer.Id))
        {
            return null;
        }

        // Of many who miss the same one, one looks.
        SigningFlight flight = await _restoring.JoinAsync(key, async () =>
        {
            CachedResponse? found = await FindAsync(issuer, answered, preferred, status).ConfigureAwait(false);
            _restored.Add(found is null ? 0 : 1);
            return new SigningFlight(found is null ? null : store(found), Failure: null);
        }).ConfigureAwait(false);
        return flight.Cached;
    }

    /// <summary>The answer that would be restored by default, which goes nowhere; null when there is none that may be given.</summary>
    internal async ValueTask<CachedResponse?> PeekAsync(NamedIssuer issuer, AnsweredCertId answered, CertificateStatus? status) =>
        status is { Position: > 0 } && _issuers.ContainsKey(issuer.Issuer.Id) ? await FindAsync(issuer, answered, preferred: null, status).ConfigureAwait(false) : null;

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _meter.Dispose();
    }

    /// <summary>Takes no more, and saves what is in the queue.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await SaveAllAsync().ConfigureAwait(false); // had it never begun
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => SaveAllAsync(); // until the queue is complete and empty

    private async Task SaveAllAsync()
    {
        Dictionary<IssuerId, List<KeptResponse>> batch = [];
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            int count = 0;
            for (; count < MaxBatch && _queue.Reader.TryRead(out (IssuerId Issuer, CachedResponse Response) next); count++)
            {
                if (!batch.TryGetValue(next.Issuer, out List<KeptResponse>? ofIssuer))
                {
                    batch[next.Issuer] = ofIssuer = [];
                }

                ofIssuer.Add(ToKept(next.Response));
            }

            foreach ((IssuerId issuer, List<KeptResponse> responses) in batch)
            {
                await SaveAsync(issuer, responses).ConfigureAwait(false);
                responses.Clear();
            }

            Interlocked.Add(ref _pending, -count);
        }
    }

    // Within the stripe's lock of the cache: in the order in which answers replace each other there.
    private void OnStored(IssuerId issuer, CachedResponse stored)
    {
        if (stored.IsKept || stored.Status is not { Position: > 0 } || !_issuers.ContainsKey(issuer))
        {
            return;
        }

        Interlocked.Increment(ref _pending);
        if (!_queue.Writer.TryWrite((issuer, stored)))
        {
            Interlocked.Decrement(ref _pending);
            _dropped.Add(1);
        }
    }

    private static KeptResponse ToKept(CachedResponse cached) => new()
    {
        Serial = SerialNumber.FromContent(PlainRequest.SerialOf(cached.CertId.Span)),
        CertId = cached.CertId,
        Credential = cached.Credential.Fingerprint,
        IsDefault = cached.IsDefault,
        Position = cached.Status!.Position,
        ProducedAt = cached.Response.ProducedAt,
        ThisUpdate = cached.Response.ThisUpdate,
        NextUpdate = cached.Response.NextUpdate,
        Encoded = cached.Response.Encoded,
    };

    private async Task<CachedResponse?> FindAsync(NamedIssuer issuer, AnsweredCertId answered, SigningCredential? preferred, CertificateStatus status)
    {
        IReadOnlyList<KeptResponse> all;
        try
        {
            all = await _store.FindAsync(issuer.Issuer.Id, answered.CertId.SerialNumber, CancellationToken.None).ConfigureAwait(false);
        }
        catch (RevocationStoreException e)
        {
            Fail(e);
            return null;
        }

        // Several credentials have signed for those who prefer nothing, one after the other: the newest one's.
        foreach (KeptResponse kept in all.OrderByDescending(kept => kept.ProducedAt))
        {
            bool isWanted = preferred is null ? kept.IsDefault : kept.Credential == preferred.Fingerprint;
            if (isWanted && kept.Position == status.Position && _factory.Restore(issuer, answered, kept) is var (response, credential))
            {
                return new CachedResponse(answered.CertId.Encoded.ToArray(), response, status, credential, kept.IsDefault)
                {
                    IsKept = true,
                    IsMadeDue = kept.ProducedAt <= _issuers[issuer.Issuer.Id].DueBefore,
                };
            }
        }

        return null;
    }

    private async Task SaveAsync(IssuerId issuer, List<KeptResponse> responses)
    {
        if (responses.Count == 0)
        {
            return; // another issuer's batch
        }

        try
        {
            await _store.SaveAsync(issuer, responses, CancellationToken.None).ConfigureAwait(false);
            _saved.Add(responses.Count);
            if (_isFailing)
            {
                _isFailing = false;
                LogGoesOn();
            }
        }
#pragma warning disable CA1031 // Whatever it is: answers that are not kept are signed again, and the next batch may be kept.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _dropped.Add(responses.Count);
            Fail(e);
        }
    }

    private void Fail(Exception e)
    {
        if (!_isFailing)
        {
            _isFailing = true; // once, not for every answer
            LogFails(e.Message, e);
        }
    }

    /// <summary>An issuer whose answers are kept.</summary>
    private sealed class KeptIssuer
    {
        private long _dueBeforeTicks;

        /// <summary>Answers that were signed until then are to be signed anew.</summary>
        public DateTimeOffset DueBefore
        {
            get => new(Volatile.Read(ref _dueBeforeTicks), TimeSpan.Zero);
            set => Volatile.Write(ref _dueBeforeTicks, value.UtcTicks);
        }
    }

    [LoggerMessage(85, LogLevel.Warning, "Signed answers cannot be kept for now, or not found again; they are signed anew when they are needed: {Reason}")]
    private partial void LogFails(string reason, Exception exception);

    [LoggerMessage(86, LogLevel.Information, "Signed answers are kept again.")]
    private partial void LogGoesOn();
}
