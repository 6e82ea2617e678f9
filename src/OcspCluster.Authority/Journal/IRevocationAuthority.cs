using System.Collections.Frozen;

namespace OcspCluster.Authority;

/// <summary>Takes events, wherever the one who writes an issuer's journal lives. Thread-safe.</summary>
public interface IRevocationAuthority
{
    /// <inheritdoc cref="IssuerSequencer.SubmitAsync(IReadOnlyList{RevocationEvent}, Submitter, CancellationToken)"/>
    /// <param name="issuer">Whose events.</param>
    /// <param name="events">The events.</param>
    /// <param name="submitter">Who tells them, and from where.</param>
    /// <param name="cancellationToken">Gives up the place in the queue. Once the turn has come it is without effect.</param>
    /// <exception cref="KeyNotFoundException">There is no such issuer here.</exception>
    ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(IssuerId issuer, IReadOnlyList<RevocationEvent> events, Submitter submitter, CancellationToken cancellationToken);
}

/// <summary>The authority of a process that writes every issuer's journal itself.</summary>
public sealed class LocalRevocationAuthority(IEnumerable<IssuerSequencer> sequencers) : IRevocationAuthority
{
    private readonly FrozenDictionary<IssuerId, IssuerSequencer> _sequencers = sequencers.ToFrozenDictionary(sequencer => sequencer.Issuer);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(IssuerId issuer, IReadOnlyList<RevocationEvent> events, Submitter submitter, CancellationToken cancellationToken) =>
        _sequencers[issuer].SubmitAsync(events, submitter, cancellationToken);
}
