using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using OcspCluster.Authority;

namespace OcspCluster.Silo.Certificates;

// Answers that outlive an activation and a silo
//
//     CertificateActor signs ──→ bounded queue ──→ IResponseStore in batches                 nobody waits for it; what finds the queue full is not kept
//     an actor that has none ──→ IResponseStore.FindAsync ──→ ResponseFactory.Restore        else it signs
//
// As in a single process (docs/decisions/0017) a kept answer is no truth: the status was read first, and the answer must have been made from that very position and pass all rules of a new one.

/// <summary>Keeps the answers that the actors of this silo sign, and finds those that an activation before signed, here or elsewhere. Thread-safe.</summary>
internal sealed partial class KeptAnswers : BackgroundService
{
    private const int MaxQueued = 16_384;
    private const int MaxBatch = 1024;

    private readonly IResponseStore? _store;
    private readonly ResponseFactory _factory;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _leaseClock;
    private readonly ILogger<KeptAnswers> _log;
    private readonly FrozenSet<IssuerId> _issuers;
    private readonly Channel<(IssuerId Issuer, KeptResponse Response)> _queue = Channel.CreateBounded<(IssuerId, KeptResponse)>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
    private readonly Meter _meter;
    private readonly Counter<long> _saved;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _restored;
    private bool _isFailing;

    /// <summary>Keeps the answers of issuers that presign; of none where there is no store.</summary>
    public KeptAnswers(
        IssuerDirectory directory, ResponseFactory factory, OcspSiloOptions options, [FromKeyedServices(OcspSiloExtensions.LeaseClock)] TimeProvider leaseClock, ILogger<KeptAnswers> log,
        IResponseStore? store = null)
    {
        _store = store;
        _factory = factory;
        _patience = options.CallDeadline / 4; // it saves a signature, and must not cost an answer
        _leaseClock = leaseClock;
        _log = log;
        _issuers = directory.Issuers.Where(issuer => store is not null && issuer.Policy.Presign != Presign.OnDemand).Select(issuer => issuer.Id).ToFrozenSet();
        _meter = new Meter(new MeterOptions("OcspCluster.KeptAnswers") { Scope = this }); // tells apart the silos of one process, which tests have
        _saved = _meter.CreateCounter<long>("ocsp.kept.saved", "{answer}", "Answers that were kept");
        _dropped = _meter.CreateCounter<long>("ocsp.kept.dropped", "{answer}", "Answers that were not kept, because the queue was full or the store failed");
        _restored = _meter.CreateCounter<long>("ocsp.kept.restored", "{answer}", "Answers that were found again instead of signed");
    }

    /// <summary>Has an answer kept.</summary>
    public void Keep(NamedIssuer issuer, CertificateKey key, byte[] certId, CertificateStatus status, SignedResponse response, SigningCredential credential, bool isDefault)
    {
        if (status.Position <= 0 || !_issuers.Contains(key.Issuer))
        {
            return;
        }

        KeptResponse kept = new()
        {
            Serial = key.Serial,
            CertId = certId,
            Credential = credential.Fingerprint,
            IsDefault = isDefault || ReferenceEquals(credential, _factory.FindDefault(issuer)),
            Position = status.Position,
            ProducedAt = response.ProducedAt,
            ThisUpdate = response.ThisUpdate,
            NextUpdate = response.NextUpdate,
            Encoded = response.Encoded,
        };
        if (!_queue.Writer.TryWrite((key.Issuer, kept)))
        {
            _dropped.Add(1);
        }
    }

    /// <summary>The answer that was kept and may be given; null when there is none, or when it cannot be read now.</summary>
    public async Task<(SignedResponse Response, SigningCredential Credential)?> FindAsync(NamedIssuer issuer, AnsweredCertId answered, SigningCredential? preferred, CertificateStatus status)
    {
        IssuerId id = issuer.Issuer.Id;
        if (status.Position <= 0 || !_issuers.Contains(id))
        {
            return null;
        }

        IReadOnlyList<KeptResponse> all;
        using CancellationTokenSource late = new(_patience, _leaseClock);
        try
        {
            all = await _store!.FindAsync(id, answered.CertId.SerialNumber, late.Token).AsTask().WaitAsync(_patience, _leaseClock).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RevocationStoreException or TimeoutException or OperationCanceledException)
        {
            Fail(e);
            return null;
        }

        // Several credentials have signed for those who prefer nothing, one after the other: the newest one's.
        foreach (KeptResponse kept in all.OrderByDescending(kept => kept.ProducedAt))
        {
            bool isWanted = preferred is null ? kept.IsDefault : kept.Credential == preferred.Fingerprint;
            if (isWanted && kept.Position == status.Position && _factory.Restore(issuer, answered, kept) is { } restored)
            {
                _restored.Add(1);
                return restored;
            }
        }

        return null;
    }

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
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Until the queue is complete and empty.
        List<(IssuerId Issuer, KeptResponse Response)> batch = [];
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (batch.Count < MaxBatch && _queue.Reader.TryRead(out (IssuerId, KeptResponse) next))
            {
                batch.Add(next);
            }

            foreach (IGrouping<IssuerId, (IssuerId Issuer, KeptResponse Response)> ofIssuer in batch.GroupBy(one => one.Issuer))
            {
                await SaveAsync(ofIssuer.Key, [.. ofIssuer.Select(one => one.Response)]).ConfigureAwait(false);
            }

            batch.Clear();
        }
    }

    private async Task SaveAsync(IssuerId issuer, IReadOnlyList<KeptResponse> responses)
    {
        try
        {
            await _store!.SaveAsync(issuer, responses, CancellationToken.None).ConfigureAwait(false);
            _saved.Add(responses.Count);
            if (Interlocked.Exchange(ref _isFailing, false))
            {
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

    // Told of once, not for every answer.
    private void Fail(Exception e)
    {
        if (!Interlocked.Exchange(ref _isFailing, true))
        {
            LogFails(e.Message, e);
        }
    }

    [LoggerMessage(133, LogLevel.Warning, "Signed answers cannot be kept for now, or not found again; they are signed anew when they are needed: {Reason}")]
    private partial void LogFails(string reason, Exception exception);

    [LoggerMessage(134, LogLevel.Information, "Signed answers are kept again.")]
    private partial void LogGoesOn();
}
