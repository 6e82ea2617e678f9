using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests.Admin;

/// <summary>A reader who knows more than this process: another silo told him, or this one has just started.</summary>
public sealed class JournalFollowerTests
{
    private static readonly IssuerId s_ca = new("alpha");
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly PublishedJournal _journal;
    private readonly TestClock _clock = new();

    public JournalFollowerTests()
    {
        DictionaryStore store = new();
        for (int serial = 1; serial <= 3; serial++)
        {
            store.Add(SerialNumber.FromInteger(serial), new CertificateStatus { State = CertificateState.Good });
        }

        _journal = new PublishedJournal(store);
        _journal.Advance(s_ca, 1);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(3, null)] // in the store, and this process has not heard yet that it is published
    [InlineData(4, 3L)]
    public async Task Cursor_IsOfAnotherJournal_OnlyWhereTheStoreEndsBeforeIt(long cursor, long? end) =>
        Assert.Equal(end, (await At(cursor).FindShorterAsync(CancellationToken.None))?.End);

    [Fact]
    public async Task Cursor_AheadOfWhatIsKnown_IsWaitedFor()
    {
        JournalFollower follower = At(2);
        Assert.True(follower.IsAhead);
        Task waiting = follower.WaitWhileAheadAsync(s_patience, _clock, CancellationToken.None);
        Assert.False(waiting.IsCompleted);

        _journal.Advance(s_ca, 3);
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));

        List<long> read = [];
        await foreach (FollowedEntry entry in follower.ReadAsync(10, CancellationToken.None))
        {
            read.Add(entry.Entry.Position);
        }

        Assert.Equal([3], read);
    }

    [Fact]
    public async Task Cursor_AheadForLong_IsNotWaitedForAnyLonger()
    {
        Task waiting = At(2).WaitWhileAheadAsync(s_patience, _clock, CancellationToken.None);
        _clock.Advance(s_patience - TimeSpan.FromMilliseconds(1));
        Assert.False(waiting.IsCompleted);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private JournalFollower At(long cursor) => new(_journal, [s_ca], new FeedCursor { [s_ca] = cursor }, isOneJournal: true);
}
