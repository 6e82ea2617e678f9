using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Tests.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>Three silos of Orleans over a real redis-server.</summary>
public sealed class SiloClusterTests(SiloCluster cluster) : IClassFixture<SiloCluster>
{
    private static int s_events;

    private static string NextId => $"event-{Interlocked.Increment(ref s_events)}";

    [Fact]
    public async Task HoldAndRelease_FromAnySilo_EveryGatewayAnswersTheNewStatus()
    {
        SerialNumber serial = await IssueAsync(1);
        for (int round = 0; round < 20; round++)
        {
            bool isHeld = round % 2 == 0;
            EventOutcome outcome = (await SiloCluster.SubmitAsync(cluster.Silos[round % 3], isHeld ? Held(NextId, serial) : Released(NextId, serial)))[0];
            Assert.Equal(EventOutcomeKind.Applied, outcome.Kind);
            foreach (IServiceProvider silo in cluster.Silos)
            {
                Assert.Equal(isHeld, (await SiloCluster.AskAsync(silo, serial)).Status is CertStatus.RevokedStatus);
            }
        }
    }

    [Fact]
    public async Task Ask_EveryGateway_OneActorSignsForAllOfThem()
    {
        SerialNumber serial = await IssueAsync(2);
        long before = cluster.Activations;
        foreach (IServiceProvider silo in cluster.Silos)
        {
            Assert.IsType<CertStatus.GoodStatus>((await SiloCluster.AskAsync(silo, serial)).Status);
        }

        Assert.Equal(1, cluster.Activations - before);
    }

    [Fact]
    public async Task Gateway_WithoutAKey_HasItAllSignedElsewhere()
    {
        SerialNumber serial = await IssueAsync(3);
        IServiceProvider gateway = cluster.Keyless;

        Assert.IsType<CertStatus.GoodStatus>((await SiloCluster.AskAsync(gateway, serial)).Status);
        Assert.IsType<CertStatus.GoodStatus>((await SiloCluster.AskAsync(gateway, serial, hasNonce: true)).Status);
        Assert.Equal(0, gateway.GetRequiredService<CertificateActors>().Activations);
    }

    [Fact]
    public async Task NeverIssued_AtAnyGateway_WakesNobody()
    {
        await IssueAsync(4);
        long before = cluster.Activations;
        for (int number = 0; number < 50; number++)
        {
            Assert.Equal(OcspOutcome.NeverIssued, (await SiloCluster.AskAsync(cluster.Silos[number % 3], Serial(1_000_000 + number))).Outcome);
        }

        Assert.Equal(before, cluster.Activations);
    }

    [Fact]
    public async Task Revoke_GatewayThatDoesNotHear_DelaysTheAcknowledgementForItsLeaseAndNoLonger()
    {
        SerialNumber serial = await IssueAsync(5);
        foreach (IServiceProvider silo in cluster.Silos)
        {
            Assert.IsType<CertStatus.GoodStatus>((await SiloCluster.AskAsync(silo, serial)).Status);
            cluster.MakeDeaf(silo, isDeaf: true); // whoever the writer is not
        }

        try
        {
            long began = Stopwatch.GetTimestamp();
            await SiloCluster.SubmitAsync(cluster.Silos[0], Revoked(NextId, serial));

            Assert.InRange(Stopwatch.GetElapsedTime(began), SiloCluster.Lease * 0.3, SiloCluster.Lease + TimeSpan.FromSeconds(10));
            foreach (IServiceProvider silo in cluster.Silos)
            {
                Assert.IsType<CertStatus.RevokedStatus>((await SiloCluster.AskAsync(silo, serial)).Status); // the renewals have told them
            }
        }
        finally
        {
            foreach (IServiceProvider silo in cluster.Silos)
            {
                cluster.MakeDeaf(silo, isDeaf: false);
            }
        }
    }

    [Fact]
    public async Task Feed_OnEverySilo_ShowsWhatWasAcknowledged()
    {
        await IssueAsync(6);
        EventOutcome outcome = (await SiloCluster.SubmitAsync(cluster.Silos[0], Revoked(NextId, Serial(6))))[0];
        foreach (IServiceProvider silo in cluster.Silos)
        {
            PublishedJournal journal = silo.GetRequiredService<PublishedJournal>();
            Task changed = journal.Changed;
            while (journal.GetPosition(SiloCluster.Ca) < outcome.Position)
            {
                await changed.WaitAsync(TimeSpan.FromSeconds(30));
                changed = journal.Changed;
            }
        }
    }

    // Issued through the first silo; everybody has heard of it then.
    private async Task<SerialNumber> IssueAsync(int number)
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        SerialNumber serial = Serial(number);
        await SiloCluster.SubmitAsync(cluster.Silos[0], Issued(NextId, serial));
        return serial;
    }
}

/// <summary>What a cluster outlives; each test breaks one of its own.</summary>
public sealed class SiloClusterLossTests : IAsyncLifetime
{
    private readonly SiloCluster _cluster = new();

    public ValueTask InitializeAsync() => _cluster.InitializeAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task RedisPaused_GoodGoesOnNothingIsAcknowledgedAndAllComesBack()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        await SiloCluster.SubmitAsync(_cluster.Silos[0], Issued("i", Serial(1)));
        foreach (IServiceProvider silo in _cluster.Silos)
        {
            Assert.IsType<CertStatus.GoodStatus>((await SiloCluster.AskAsync(silo, Serial(1))).Status);
        }

        _cluster.Redis.Pause();
        Task<IReadOnlyList<EventOutcome>> revocation = SiloCluster.SubmitAsync(_cluster.Silos[1], Revoked("r", Serial(1)));
        int good = 0;
        int asked = 0;
        for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < SiloCluster.Lease * 2;)
        {
            foreach (IServiceProvider silo in _cluster.Silos)
            {
                asked++;
                good += (await SiloCluster.AskAsync(silo, Serial(1))).Status is CertStatus.GoodStatus ? 1 : 0;
            }

            Assert.False(revocation.IsCompletedSuccessfully);
            Thread.CurrentThread.Join(TimeSpan.FromMilliseconds(20)); // the pause between two rounds of questions
        }

        _cluster.Redis.Resume();
        await Record.ExceptionAsync(() => revocation); // its outcome is unknown, or it was recorded after all
        EventOutcome outcome = await SubmitUntilKnownAsync(Revoked("r", Serial(1)));

        Assert.NotEqual(EventOutcomeKind.Refused, outcome.Kind);
        Assert.True(good > asked * 0.9, $"{good} of {asked} answers were good while Redis was paused.");
        foreach (IServiceProvider silo in _cluster.Silos)
        {
            Assert.IsType<CertStatus.RevokedStatus>((await SiloCluster.AskAsync(silo, Serial(1))).Status);
        }
    }

    [Fact]
    public async Task SiloKilled_EventsGoOnThroughTheOthers()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        IServiceProvider[] silos = [_cluster.Signing[0], _cluster.Signing[1], _cluster.Keyless];
        await SiloCluster.SubmitAsync(silos[0], Issued("i", Serial(1)));
        foreach (IServiceProvider silo in silos)
        {
            await SiloCluster.AskAsync(silo, Serial(1));
        }

        await _cluster.KillAsync(silos[1]);
        EventOutcome outcome = await SubmitUntilKnownAsync(Revoked("r", Serial(1)));

        Assert.NotEqual(EventOutcomeKind.Refused, outcome.Kind);
        Assert.IsType<CertStatus.RevokedStatus>((await SiloCluster.AskAsync(silos[0], Serial(1))).Status);
        Assert.IsType<CertStatus.RevokedStatus>((await SiloCluster.AskAsync(silos[2], Serial(1))).Status);
    }

    private async Task<EventOutcome> SubmitUntilKnownAsync(RevocationEvent @event)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return (await SiloCluster.SubmitAsync(_cluster.Signing[0], @event))[0];
            }
            catch (RevocationStoreException) when (attempt < 30)
            {
            }
        }
    }
}
