using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Delivery;

/// <summary>Several hosts over one store, as in a cluster: the cursor decides who delivers.</summary>
public sealed class SharedDeliveryTests : IAsyncDisposable
{
    private static readonly TestPki s_ca = TestPki.CreateRoot("Shared CA", TestKey.P256());

    private readonly ScratchDirectory _directory = new();
    private readonly TestClock _clock = new();
    private readonly SqliteRevocationStore _store;
    private readonly List<Host> _hosts = [];

    public SharedDeliveryTests()
    {
        _store = SqliteRevocationStore.Open(_directory.File("data"));
        File.WriteAllText(_directory.File("secret"), "whsec_" + Convert.ToBase64String(new byte[32]));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Host host in _hosts)
        {
            await host.Deliveries.StopAsync(CancellationToken.None);
            host.Deliveries.Dispose();
        }

        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Hosts_Several_DeliverEachMessageOnce()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        Host[] hosts = [await StartAsync("host-1", receiver), await StartAsync("host-2", receiver), await StartAsync("host-3", receiver)];
        List<long> positions = [];
        for (int i = 0; i < 50; i++)
        {
            await AppendAsync(hosts);
            positions.AddRange(PositionsOf(await receiver.ReadAsync(_clock)));
        }

        Assert.Equal(Enumerable.Range(1, 50).Select(position => (long)position), positions);
        Assert.False(receiver.HasMore);
    }

    [Fact]
    public async Task Host_ThatDiesWhileItDelivers_IsFollowedByAnotherWhenItsLeaseEnds()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        receiver.Answer = async (_, aborted) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, aborted);
            return new ReceiverAnswer(200);
        };

        // As a host leaves it that was killed: an intent, and a lease that goes on.
        Host first = await StartAsync("host-1", receiver);
        await AppendAsync(first);
        string[] ids = [(await receiver.ReadAsync()).Headers["webhook-id"]];
        DeliveryCursor dead = (await _store.FindCursorAsync("siem", Ca, CancellationToken.None))!;
        Assert.Equal((0, 1, "host-1"), (dead.Position, dead.IntendedPosition, dead.Holder));
        await first.Deliveries.StopAsync(CancellationToken.None);
        DeliveryCursor released = (await _store.FindCursorAsync("siem", Ca, CancellationToken.None))!;
        Assert.True(await _store.TryMoveCursorAsync("siem", Ca, released, dead));

        receiver.Status = 200;
        Host second = await StartAsync("host-2", receiver);
        await AppendAsync(second);
        Assert.Equal("host-1", await UntilAsync(() => second.Deliveries.Lanes[0].Report.HeldBy));
        Assert.False(receiver.HasMore);
        _clock.Advance(DeliveryOptions.Lease);

        ReceivedRequest again = await receiver.ReadAsync(_clock);
        Assert.Equal(ids[0], again.Headers["webhook-id"]);
        Assert.Equal([2], PositionsOf(await receiver.ReadAsync(_clock)));
    }

    [Fact]
    public async Task Host_WhoseCursorWasMovedMeanwhile_MovesNothingBack()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        TaskCompletionSource<ReceiverAnswer> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = (_, _) => answer.Task;
        Host host = await StartAsync("host-1", receiver);
        await AppendAsync(host);
        await receiver.ReadAsync();

        // Another host took the lease for its own, as after a pause of this process, and went on.
        DeliveryCursor held = (await _store.FindCursorAsync("siem", Ca, CancellationToken.None))!;
        DeliveryCursor others = DeliveryCursor.At(1) with { Holder = "host-2", HeldUntil = _clock.GetUtcNow() + DeliveryOptions.Lease };
        Assert.True(await _store.TryMoveCursorAsync("siem", Ca, held, others));
        answer.SetResult(new ReceiverAnswer(200));

        await UntilAsync(() => host.Deliveries.Lanes[0].Report.Position == 1 ? "read again" : null);
        Assert.Equal(others, await _store.FindCursorAsync("siem", Ca, CancellationToken.None));
    }

    [Fact]
    public async Task Delivery_ThatTakesLongerThanTheLease_KeepsIt()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        TaskCompletionSource<ReceiverAnswer> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = (_, _) => answer.Task;
        Host first = await StartAsync("host-1", receiver);
        Host second = await StartAsync("host-2", receiver);
        await AppendAsync(first);
        await receiver.ReadAsync();
        second.Journal.Advance(Ca, 1);
        for (int i = 0; i < 12; i++)
        {
            // The first host's request and its next renewal, the second one's next look: time passes when all of them are set.
            await UntilAsync(() => _clock.WaitingTimers == 3 ? "settled" : null);
            DateTimeOffset before = (await _store.FindCursorAsync("siem", Ca, CancellationToken.None))!.HeldUntil;
            _clock.Advance(DeliveryOptions.Lease / 3);
            await UntilAsync(() => _store.FindCursorAsync("siem", Ca, CancellationToken.None).AsTask().GetAwaiter().GetResult()!.HeldUntil > before ? "renewed" : null);
        }

        Assert.False(receiver.HasMore);
        answer.SetResult(new ReceiverAnswer(200));
        await UntilAsync(() => first.Deliveries.Lanes[0].LagEntries == 0 ? "done" : null);
        Assert.False(receiver.HasMore);
    }

    [Fact]
    public async Task Host_ThatHasNotHeardOfAllThatIsIntended_WaitsUntilItHas()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        Host host = await StartAsync("host-2", receiver);
        for (int i = 0; i < 5; i++)
        {
            await AppendAsync(); // published by host-1, which intended three of them to be one message and died
        }

        DeliveryCursor? begun = null;
        await UntilAsync(() => (begun = _store.FindCursorAsync("siem", Ca, CancellationToken.None).AsTask().GetAwaiter().GetResult()) is null ? null : "begun");
        Assert.True(await _store.TryMoveCursorAsync("siem", Ca, begun, DeliveryCursor.At(0) with { IntendedPosition = 3 }));
        host.Journal.Advance(Ca, 2);
        host.Deliveries.Lanes[0].Wake();
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.False(receiver.HasMore);
        host.Journal.Advance(Ca, 5);
        Assert.Equal([1, 2, 3], PositionsOf(await receiver.ReadAsync(_clock)));
        Assert.Equal([4, 5], PositionsOf(await receiver.ReadAsync(_clock)));
    }

    [Fact]
    public async Task Receiver_ThatBeginsNow_AtAHostThatHasNotHeardYetOfWhatIsPublished_GetsWhatComesAfterTheStart()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            await AppendAsync();
        }

        // Acknowledged as soon as the host has started, before its loop has had a turn.
        Host host = await StartAsync("host-1", receiver, DeliveryStart.Now, new PublishedJournal(_store));
        await AppendAsync();
        Assert.Equal(5, (await _store.FindCursorAsync("siem", Ca, CancellationToken.None))!.Position);
        host.Journal.Advance(Ca, 6);
        Assert.Equal([6], PositionsOf(await receiver.ReadAsync())); // no time passes: what is published wakes it
        Assert.False(receiver.HasMore);
    }

    [Fact]
    public async Task Journal_ThatEndsBeforeTheCursor_Pauses()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        Assert.True(await _store.TryMoveCursorAsync("siem", Ca, null, DeliveryCursor.At(100)));
        Host host = await StartAsync("host-1", receiver);
        Assert.Contains("before the cursor at 100", await UntilAsync(() => host.Deliveries.Lanes[0].Report.PausedBecause), StringComparison.Ordinal);
        Assert.Contains(host.Deliveries.Warnings, warning => warning.Contains("paused", StringComparison.Ordinal));
        Assert.False(receiver.HasMore);
    }

    private static async Task<string> UntilAsync(Func<string?> value)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(60));
        while (!late.IsCancellationRequested)
        {
            if (value() is string found)
            {
                return found;
            }

            await Task.Yield();
        }

        throw new TimeoutException("It never was so.");
    }

    private static IEnumerable<long> PositionsOf(ReceivedRequest request) =>
        JsonDocument.Parse(request.Body).RootElement.GetProperty("data").GetProperty("events").EnumerateArray().Select(one => one.GetProperty("position").GetInt64());

    private async Task<Host> StartAsync(string name, RecordingReceiver receiver, DeliveryStart from = DeliveryStart.Beginning, PublishedJournal? unheard = null)
    {
        using SigningCredential credential = new(X509Certificate2.CreateFromPem(s_ca.Certificate.ExportCertificatePem(), s_ca.Ca.Key.ToPem()));
        IssuerDirectory directory = new([new Issuer(Ca, [s_ca.Certificate], [credential])]);
        PublishedJournal journal = unheard ?? await PublishedJournal.OpenAsync(_store, [Ca], CancellationToken.None);
        DeliveryOptions options = new()
        {
            Holder = name,
            Webhooks = [new WebhookOptions { Name = "siem", Url = receiver.Uri, SecretFiles = [_directory.File("secret")], From = from, BatchSize = 100, Timeout = TimeSpan.FromMinutes(5) }],
        };
        Deliveries deliveries = new(options, Options.Create(new OcspGatewayOptions()), directory, journal, _store, _clock, NullLogger<Deliveries>.Instance, _store);
        Host host = new(deliveries, journal);
        _hosts.Add(host);
        await deliveries.StartAsync(CancellationToken.None);
        return host;
    }

    private async Task AppendAsync(params Host[] hosts)
    {
        long position = await _store.GetPositionAsync(Ca, CancellationToken.None);
        await _store.AppendAsync(Ca, position, Entries(position, Revoked($"e-{position}", Serial((int)position + 1))));
        foreach (Host host in hosts)
        {
            host.Journal.Advance(Ca, position + 1);
        }
    }

    private sealed record Host(Deliveries Deliveries, PublishedJournal Journal);
}
