using System.Globalization;
using System.Runtime.CompilerServices;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>An entry of the journal, and the cursor that goes on behind it.</summary>
internal readonly record struct FollowedEntry(IssuerId Issuer, JournalEntry Entry, string Cursor);

/// <summary>Reads the journals of some issuers from a cursor on. For one caller at a time.</summary>
internal sealed class JournalFollower(PublishedJournal journal, IReadOnlyList<IssuerId> issuers, FeedCursor cursor, bool isOneJournal)
{
    /// <summary>Completes with the next publication. Take it before reading.</summary>
    public Task Changed => journal.Changed;

    /// <summary>Whether the cursor stands behind the last entry that this process knows to be published.</summary>
    public bool IsAhead => issuers.Any(issuer => cursor[issuer] > journal.GetPosition(issuer));

    /// <summary>
    /// The issuer whose journal ends before the cursor, and where: it is not the journal that was read before. One that is merely not known here to be published, because another silo told the
    /// reader or because this process has just started, is the same journal: it goes on when this process has heard.
    /// </summary>
    /// <exception cref="RevocationStoreException">The store cannot be read.</exception>
    public async Task<(IssuerId Issuer, long End)?> FindShorterAsync(CancellationToken cancellationToken)
    {
        foreach (IssuerId issuer in issuers)
        {
            if (cursor[issuer] > journal.GetPosition(issuer) && await journal.FindEndAsync(issuer, cancellationToken).ConfigureAwait(false) is var end && cursor[issuer] > end)
            {
                return (issuer, end);
            }
        }

        return null;
    }

    /// <summary>Waits until the cursor is not ahead any more, but not for long.</summary>
    public async Task WaitWhileAheadAsync(TimeSpan patience, TimeProvider clock, CancellationToken cancellationToken)
    {
        Task late = Task.Delay(patience, clock, cancellationToken);
        while (!late.IsCompleted)
        {
            Task changed = Changed;
            if (!IsAhead)
            {
                return;
            }

            await Task.WhenAny(changed, late).ConfigureAwait(false);
        }
    }

    /// <summary>What is next, of each issuer in its order. Of several with much to tell each has its share, so that one's bulk import does not hide another's revocation.</summary>
    public async IAsyncEnumerable<FollowedEntry> ReadAsync(int limit, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (issuers.Where(issuer => cursor[issuer] < journal.GetPosition(issuer)).ToArray() is { Length: > 0 } behind)
        {
            int share = Math.Max(1, limit / behind.Length);
            foreach (IssuerId issuer in behind)
            {
                int left = share;
                await foreach (JournalEntry entry in journal.ReadAsync(issuer, cursor[issuer], cancellationToken).ConfigureAwait(false))
                {
                    cursor[issuer] = entry.Position;
                    yield return new FollowedEntry(issuer, entry, isOneJournal ? entry.Position.ToString(CultureInfo.InvariantCulture) : cursor.ToString());
                    if (--limit == 0)
                    {
                        yield break;
                    }

                    if (--left == 0)
                    {
                        break;
                    }
                }
            }
        }
    }
}
