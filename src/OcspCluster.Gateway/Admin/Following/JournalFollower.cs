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

    /// <summary>The issuer whose journal ends before the cursor: it is not the journal that was read before.</summary>
    public IssuerId? FindAhead() => issuers.Where(issuer => cursor[issuer] > journal.GetPosition(issuer)).Select(issuer => (IssuerId?)issuer).FirstOrDefault();

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
