using System.Diagnostics.Metrics;
using OcspCluster.Authority;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Refresh;
using Orleans.Concurrency;
using Orleans.Placement;

namespace OcspCluster.Silo.Certificates;

/// <summary>Gives one certificate its place: the silo that was asked for it first, if that one signs. It goes when nobody has asked for a while.</summary>
[Reentrant]
[PreferLocalPlacement]
[CollectionAgeLimit(Minutes = 10)]
internal sealed class CertificateGrain(CertificateActors actors) : Grain, ICertificateGrain
{
    private CertificateActor _certificate = null!; // made in OnActivateAsync, before the first call

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _certificate = actors.Create(CertificateKey.Parse(this.GetPrimaryKeyString()));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        actors.Release();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<CertificateReply> AnswerAsync(CertificateQuestion question) => _certificate.AnswerAsync(question).AsTask();

    /// <inheritdoc/>
    public Task<StatusReply> FindStatusAsync(long minPosition) => _certificate.FindStatusAsync(minPosition).AsTask();
}

/// <summary>Makes the actors of a silo, and counts them.</summary>
internal sealed class CertificateActors : IDisposable
{
    private readonly IssuerDirectory _directory;
    private readonly CoherenceDirectory _coherence;
    private readonly IRevocationStore _store;
    private readonly ResponseFactory _factory;
    private readonly KeptAnswers _kept;
    private readonly RefreshFeed _feed;
    private readonly ResignRuns _runs;
    private readonly OcspSiloOptions _options;
    private readonly TimeProvider _clock;
    private readonly Meter _meter = new("OcspCluster.Certificates");
    private long _activations;
    private long _active;

    public CertificateActors(IssuerDirectory directory, CoherenceDirectory coherence, IRevocationStore store, ResponseFactory factory, KeptAnswers kept, RefreshFeed feed, ResignRuns runs, OcspSiloOptions options, TimeProvider clock)
    {
        _directory = directory;
        _coherence = coherence;
        _store = store;
        _factory = factory;
        _kept = kept;
        _feed = feed;
        _runs = runs;
        _options = options;
        _clock = clock;
        _meter.CreateObservableCounter("ocsp.certificate.activations", () => Activations, "{activation}", "Certificates that became active here");
        _meter.CreateObservableGauge("ocsp.certificate.active", () => Active, "{activation}", "Certificates that are active here");
    }

    /// <summary>How many certificates became active here since the start.</summary>
    public long Activations => Interlocked.Read(ref _activations);

    /// <summary>How many certificates are active here.</summary>
    public long Active => Interlocked.Read(ref _active);

    /// <summary>An actor that knows nothing yet: its first question reads the store.</summary>
    /// <exception cref="KeyNotFoundException">There is no such issuer here.</exception>
    public CertificateActor Create(CertificateKey key)
    {
        SiloIssuer issuer = _coherence.Find(key.Issuer) ?? throw new KeyNotFoundException($"There is no issuer '{key.Issuer}' here.");
        Interlocked.Increment(ref _activations);
        Interlocked.Increment(ref _active);
        return new CertificateActor(key, _directory, issuer.Coherence, _store, _factory, _kept, _feed, _runs, _options, _clock);
    }

    /// <summary>An actor is gone.</summary>
    public void Release() => Interlocked.Decrement(ref _active);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
