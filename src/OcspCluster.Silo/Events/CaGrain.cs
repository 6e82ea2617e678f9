using System.Collections.Concurrent;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Host;
using OcspCluster.Silo.Refresh;
using Orleans.Concurrency;

namespace OcspCluster.Silo.Events;

/// <summary>What became of a submission: its outcomes, or why they are not known.</summary>
/// <param name="Outcomes">One per event, in order; null when they are not known.</param>
/// <param name="Failure">What failed and what to do; null when the outcomes are known.</param>
[GenerateSerializer]
[Immutable]
internal sealed record SubmissionReply([property: Id(0)] IReadOnlyList<EventOutcome>? Outcomes, [property: Id(1)] string? Failure);

/// <summary>One CA's place and turn. Key: the issuer's name.</summary>
internal interface ICaGrain : IGrainWithStringKey
{
    /// <inheritdoc cref="IssuerSequencer.SubmitAsync(IReadOnlyList{RevocationEvent}, Submitter, CancellationToken)"/>
    [ResponseTimeout(CaGrain.Patience)]
    Task<SubmissionReply> SubmitAsync(IReadOnlyList<RevocationEvent> events, Submitter submitter);

    /// <inheritdoc cref="IssuerSequencer.PublishPendingAsync"/>
    [ResponseTimeout(CaGrain.Patience)]
    Task PublishPendingAsync();
}

/// <summary>Gives one CA its place. The sequencer gives the turns: submissions that wait share one, and therefore the grain lets them in together.</summary>
/// <remarks>Two activations at once are harmless: the journal's fence lets one of them write, and the leases lie in the store, where both see them.</remarks>
[Reentrant]
internal sealed class CaGrain(CaSequencers sequencers, ClusterChronicle chronicle) : Grain, ICaGrain
{
    /// <summary>How long a caller waits: an append and a publication that waits out a lease, with room for the longest of both.</summary>
    public const string Patience = "00:02:00";

    private IssuerSequencer _sequencer = null!; // made in OnActivateAsync, before the first call

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        chronicle.NoteWriter(this.GetPrimaryKeyString());
        _sequencer = sequencers.Create(new IssuerId(this.GetPrimaryKeyString()));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        sequencers.Release();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<SubmissionReply> SubmitAsync(IReadOnlyList<RevocationEvent> events, Submitter submitter)
    {
        try
        {
            return new SubmissionReply(await _sequencer.SubmitAsync(events, submitter, CancellationToken.None), Failure: null);
        }
        catch (RevocationStoreException e)
        {
            return new SubmissionReply(Outcomes: null, e.Message);
        }
    }

    /// <inheritdoc/>
    public Task PublishPendingAsync() => _sequencer.PublishPendingAsync();
}

/// <summary>Makes a sequencer for each activation of a CA, and counts them. Thread-safe.</summary>
internal sealed class CaSequencers(IRevocationStore store, ClusterPublisher publisher, RefreshFeed feed, ClockGuard guard, FeedTally tally, TimeProvider clock)
{
    // Redis does nothing else while it carries one out, some 25 µs for each event: leases, and what gateways miss, wait for it (docs/decisions/0021).
    private static readonly IssuerSequencerOptions s_options = new() { MaxEventsPerAppend = ClusterRevocationAuthority.EventsPerCall };

    private int _active;

    /// <summary>How many CAs are active here.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>A sequencer that knows nothing yet: its first turn reads the journal, and has all of it published.</summary>
    public IssuerSequencer Create(IssuerId issuer)
    {
        Interlocked.Increment(ref _active);
        return new IssuerSequencer(issuer, store, new MeasuredPublisher(new AnnouncingPublisher(publisher, feed, guard), tally), clock, s_options);
    }

    /// <summary>An activation is gone.</summary>
    public void Release() => Interlocked.Decrement(ref _active);
}

/// <summary>Takes events to the CA's actor, wherever in the cluster it lives. Thread-safe.</summary>
internal sealed class ClusterRevocationAuthority(IGrainFactory grains, IssuerDirectory directory) : IRevocationAuthority
{
    /// <summary>Events in one call: what a turn takes.</summary>
    public const int EventsPerCall = 1024;

    private readonly ConcurrentDictionary<IssuerId, ICaGrain> _grains = [];

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(
        IssuerId issuer, IReadOnlyList<RevocationEvent> events, Submitter submitter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(events);
        ArgumentNullException.ThrowIfNull(submitter);
        if (!directory.Issuers.Any(one => one.Id == issuer))
        {
            throw new KeyNotFoundException($"There is no issuer '{issuer}' here.");
        }

        cancellationToken.ThrowIfCancellationRequested(); // and not between the calls: half a submission is worse than a slow one
        ICaGrain grain = _grains.GetOrAdd(issuer, id => grains.GetGrain<ICaGrain>(id.ToString()));
        List<EventOutcome> outcomes = new(events.Count);
        foreach (RevocationEvent[] chunk in events.Chunk(EventsPerCall))
        {
            outcomes.AddRange(await SubmitAsync(grain, issuer, chunk, submitter).ConfigureAwait(false));
        }

        return outcomes;
    }

    private static async Task<IReadOnlyList<EventOutcome>> SubmitAsync(ICaGrain grain, IssuerId issuer, RevocationEvent[] events, Submitter submitter)
    {
        SubmissionReply reply;
        try
        {
            reply = await grain.SubmitAsync(events, submitter).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A silo that was lost, a call that timed out or was refused: whatever it is, nobody knows whether the events were recorded.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw new RevocationStoreException($"The silo that writes the journal of issuer '{issuer}' did not answer: it is not known what became of the events. Submit them again with the same ids.", e);
        }

        return reply.Outcomes ?? throw new RevocationStoreException(reply.Failure!);
    }
}
