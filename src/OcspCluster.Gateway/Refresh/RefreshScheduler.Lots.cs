using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// What is due is taken in lots, whose statuses are read together: to begin and end a read of the store costs more than a certificate in it. A lot is what the pace allows within a hundredth of a
// second, it leaves enough for all who could sign, and what is left of it is given back when a certificate is revoked. So the order is what it would be one by one, but for that hundredth.
//
// That the statuses of a lot are some signatures old changes nothing: the version of each serial's stripe was taken before they were read, and the cache stores nothing under an older one.
public sealed partial class RefreshScheduler
{
    private const int LotsPerSecond = 100;
    private const int LargestLot = 64;

    private int Concurrency => Issuer.Credentials.Max(credential => credential.Concurrency);

    private async Task WorkAsync(DueLot lot, CancellationToken cancellationToken)
    {
        List<RefreshResult> results = [];
        for (; lot.Answers.Count > 0; lot = TakeLot())
        {
            results.Clear();
            try
            {
                CertId[] certIds = [.. lot.Answers.Select(due => CertId.Decode(_forms.Encode(due.Form, due.Serial)))];
                StatusLot statuses = await _responder.ReadStatusesAsync(Issuer, certIds, cancellationToken).ConfigureAwait(false);
                while (results.Count < certIds.Length && MayGoOn(lot, results))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    results.Add(await _responder.RefreshAsync(certIds[results.Count], statuses.At(results.Count), cancellationToken).ConfigureAwait(false));
                }
            }
            finally
            {
                Conclude(lot.Answers, results);
            }
        }
    }

    // What went wrong is looked at before the next is tried, and who was revoked meanwhile comes first, also of this lot.
    private bool MayGoOn(DueLot lot, List<RefreshResult> done) =>
        done.Count == 0
        || (!IsResting
            && done[^1].Outcome is RefreshOutcome.Signed or RefreshOutcome.NotNeeded
            && (lot.Answers[done.Count].Priority == RefreshPriority.NewlyRevoked || lot.StatusChanges == _schedule.StatusChanges));

    // What was not come to (the host ends, others come first, or something went wrong) goes back to the front, in the order in which it was taken.
    private void Conclude(List<DueAnswer> lot, List<RefreshResult> results)
    {
        lock (_turn)
        {
            for (int i = lot.Count - 1; i >= results.Count; i--)
            {
                _schedule.GiveBack(lot[i]);
                _pace.Return();
            }

            for (int i = 0; i < results.Count; i++)
            {
                Conclude(lot[i], results[i]);
            }
        }
    }

    private DueLot TakeLot()
    {
        List<DueAnswer> lot = [];
        long changes = _schedule.StatusChanges; // before anything is taken
        lock (_turn)
        {
            for (int size = 1; lot.Count < size && !IsResting && _pace.TryTake();)
            {
                if (!TryTakeNeeded(out DueAnswer due))
                {
                    _pace.Return();
                    break;
                }

                lot.Add(due);
                if (lot.Count == 1)
                {
                    size = Math.Clamp(Math.Min(_pace.PerSecond / LotsPerSecond, _schedule.Backlog / Concurrency), 1, LargestLot); // the backlog is known once something was taken
                }
            }
        }

        return new DueLot(lot, changes);
    }

    /// <summary>Answers that were taken together, and how often a status had changed before.</summary>
    private readonly record struct DueLot(List<DueAnswer> Answers, long StatusChanges);
}
