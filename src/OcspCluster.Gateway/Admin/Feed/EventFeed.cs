using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Submits events as they were sent: those whose certificate is in order go to the authority, the others are refused.</summary>
internal sealed class EventFeed(IRevocationAuthority authority)
{
    /// <summary>Returns the outcomes in the order of the events; applied ones are durable and every gateway knows them.</summary>
    /// <exception cref="RevocationStoreException">The outcome of some events is unknown.</exception>
    public async ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(Issuer issuer, IReadOnlyList<SentEvent> sent, Submitter submitter, CancellationToken cancellationToken)
    {
        EventOutcome?[]? refused = null; // hardly ever any
        List<RevocationEvent> events = new(sent.Count);
        Func<IssuedCertificate, bool> hasIssued = issuer.HasIssued;
        for (int i = 0; i < sent.Count; i++)
        {
            if (sent[i].FindRefusal(hasIssued) is { } refusal)
            {
                refused ??= new EventOutcome?[sent.Count];
                refused[i] = EventOutcome.Refused(sent[i].Event.Id, refusal, 0);
            }
            else
            {
                events.Add(sent[i].Event);
            }
        }

        IReadOnlyList<EventOutcome> submitted = await authority.SubmitAsync(issuer.Id, events, submitter, cancellationToken).ConfigureAwait(false);
        int next = 0;
        return refused is null ? submitted : [.. refused.Select(outcome => outcome ?? submitted[next++])];
    }
}
