using OcspCluster.Authority;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Conformance;

/// <summary>What every store keeps of deliveries. Derive it, and say how to open one and the same store again.</summary>
public abstract class DeliveryCursorStoreContract : IAsyncLifetime
{
    private static readonly IssuerId s_other = new("issuing-ca-2");
    private static readonly DeliveryCursor s_cursor = new(7, 9, "host-1", new DateTimeOffset(2026, 6, 15, 12, 0, 0, TimeSpan.Zero).AddTicks(1234567), "410 Gone \u65E5 \"'%");

    private IDeliveryCursorStore _store = null!;

    /// <summary>Opens the store of this test: empty the first time, and with all that was written after each <see cref="CloseAsync"/>.</summary>
    protected abstract ValueTask<IDeliveryCursorStore> OpenAsync();

    /// <summary>Closes what <see cref="OpenAsync"/> opened.</summary>
    protected abstract ValueTask CloseAsync(IDeliveryCursorStore store);

    /// <summary>Removes what the test has written.</summary>
    protected abstract ValueTask CleanAsync();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(_store);
        await CleanAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Cursor_OfAReceiverThatIsNew_IsNone() => Assert.Null(await FindAsync("siem"));

    [Fact]
    public async Task Cursor_Moved_IsKeptToTheTickAndSurvivesAReopening()
    {
        Assert.True(await _store.TryMoveCursorAsync("siem", Ca, null, s_cursor));
        Assert.Equal(s_cursor, await FindAsync("siem"));
        await ReopenAsync();
        Assert.Equal(s_cursor, await FindAsync("siem"));

        DeliveryCursor later = DeliveryCursor.At(1L << 39);
        Assert.True(await _store.TryMoveCursorAsync("siem", Ca, s_cursor, later));
        await ReopenAsync();
        Assert.Equal(later, await FindAsync("siem"));
        Assert.Null((await FindAsync("siem"))!.PausedBecause);
    }

    [Fact]
    public async Task Cursor_IsOneForEachReceiverAndIssuer()
    {
        Assert.True(await _store.TryMoveCursorAsync("siem", Ca, null, DeliveryCursor.At(1)));
        Assert.True(await _store.TryMoveCursorAsync("siem", s_other, null, DeliveryCursor.At(2)));
        Assert.True(await _store.TryMoveCursorAsync("siem.issuing", Ca, null, DeliveryCursor.At(3)));
        Assert.Equal(1, (await FindAsync("siem"))!.Position);
        Assert.Equal(2, (await _store.FindCursorAsync("siem", s_other, CancellationToken.None))!.Position);
        Assert.Equal(3, (await FindAsync("siem.issuing"))!.Position);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("position")]
    [InlineData("intended")]
    [InlineData("holder")]
    [InlineData("lease")]
    [InlineData("pause")]
    public async Task Move_FromAnotherCursorThanTheOneThatIs_IsRefused(string difference)
    {
        Assert.True(await _store.TryMoveCursorAsync("siem", Ca, null, s_cursor));
        DeliveryCursor? expected = difference switch
        {
            "none" => null,
            "position" => s_cursor with { Position = 6 },
            "intended" => s_cursor with { IntendedPosition = 10 },
            "holder" => s_cursor with { Holder = "host-2" },
            "lease" => s_cursor with { HeldUntil = s_cursor.HeldUntil.AddTicks(1) },
            _ => s_cursor with { PausedBecause = null },
        };

        Assert.False(await _store.TryMoveCursorAsync("siem", Ca, expected, DeliveryCursor.At(100)));

        Assert.Equal(s_cursor, await FindAsync("siem"));
    }

    [Fact]
    public async Task Move_OfACursorThatIsNot_IsRefused()
    {
        Assert.False(await _store.TryMoveCursorAsync("siem", Ca, s_cursor, DeliveryCursor.At(100)));
        Assert.Null(await FindAsync("siem"));
    }

    [Fact]
    public async Task Moves_OfSeveralHostsAtOnce_AreWonByOneEachTime()
    {
        DeliveryCursor? cursor = null;
        for (int round = 0; round < 20; round++)
        {
            DeliveryCursor[] wishes = [.. Enumerable.Range(0, 8).Select(host => DeliveryCursor.At(round) with { Holder = $"host-{host}" })];
            bool[] moved = await Task.WhenAll(wishes.Select(wish => Task.Run(async () => await _store.TryMoveCursorAsync("siem", Ca, cursor, wish))));
            int winner = Array.IndexOf(moved, true);
            Assert.Equal(1, moved.Count(one => one));
            cursor = await FindAsync("siem");
            Assert.Equal(wishes[winner], cursor);
        }
    }

    private ValueTask<DeliveryCursor?> FindAsync(string receiver) => _store.FindCursorAsync(receiver, Ca, CancellationToken.None);

    private async Task ReopenAsync()
    {
        await CloseAsync(_store);
        _store = await OpenAsync();
    }
}
