using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Refresh;
using OcspCluster.Silo.Storage;
using OcspCluster.Silo.Tests.Storage;
using Orleans.TestingHost;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>Answers of a short life over three silos, one of them without a key: they are renewed before they end, whoever is lost.</summary>
public sealed class RefreshClusterTests
{
    private const int Serials = 100;

    // Due in the background 38 to 48 seconds after it was signed, and for a client at 48.
    private static readonly IssuerPolicy s_policy = new() { Profile = IssuerProfile.Private, Validity = TimeSpan.FromMinutes(2), RefreshAt = 0.4, Backdate = TimeSpan.Zero, MaxAge = TimeSpan.FromSeconds(30) };
    private static readonly X509Certificate2 s_withKey = X509Certificate2.CreateFromPem(Issuers.Alpha.Responder.Certificate.ExportCertificatePem(), Issuers.Alpha.Responder.Key.ToPem());

    [Fact]
    public async Task Silo_ThatWasAsked_IsKilled_ItsAnswersAreRenewedElsewhere_AndSignedOnce()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        await using RedisServer redis = await RedisServer.StartAsync();
        RedisOptions options = new() { Configuration = redis.Configuration };
        await using RedisConnection connection = await RedisConnection.OpenAsync(options.Configuration);
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(connection, options, TimeProvider.System, CancellationToken.None);
        await using RedisResponseStore responses = await RedisResponseStore.OpenAsync(connection, TimeProvider.System);
        using MeterListener listener = new();
        ConcurrentDictionary<object, long> saved = []; // by the KeptAnswers that saved it: other tests of this process have silos, too
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument is { Name: "ocsp.kept.saved", Meter.Name: "OcspCluster.KeptAnswers" })
            {
                self.EnableMeasurementEvents(instrument, instrument.Meter.Scope);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, keeper) => saved.AddOrUpdate(keeper!, count, (_, sum) => sum + count));
        listener.Start();

        await using InProcessTestCluster cluster = await BuildAsync(connection, store, responses);
        await cluster.DeployAsync();
        IServiceProvider[] signing = [.. cluster.Silos.Select(silo => silo.ServiceProvider).Where(silo => silo.GetRequiredService<OcspSiloOptions>().Role == SiloRole.Sign)];
        IServiceProvider asked = signing[1];
        KeptAnswers[] keepers = [.. cluster.Silos.Select(silo => silo.ServiceProvider.GetRequiredService<KeptAnswers>())];
        SerialNumber[] serials = [.. Enumerable.Range(1, Serials).Select(number => Serial(number))];
        await SiloCluster.SubmitAsync(signing[0], [.. serials.Select((serial, i) => Issued($"issue-{i}", serial))]);
        foreach (SerialNumber serial in serials)
        {
            Assert.IsType<CertStatus.GoodStatus>((await SiloCluster.AskAsync(asked, serial)).Status);
        }

        Dictionary<SerialNumber, KeptResponse> first = await UntilAllAsync(responses, _ => true);
        await cluster.KillSiloAsync(cluster.Silos.Single(silo => ReferenceEquals(silo.ServiceProvider, asked))); // its scheduler and its partitions are gone

        Dictionary<SerialNumber, KeptResponse> second = await UntilAllAsync(responses, kept => kept.ProducedAt > first[kept.Serial].ProducedAt);
        Assert.All(second.Values, kept => Assert.True(kept.ProducedAt < first[kept.Serial].NextUpdate - TimeSpan.FromSeconds(20), $"{kept.ProducedAt:u}, and the one before ended {first[kept.Serial].NextUpdate:u}"));

        // Each was signed once, and once more; a few may be due for the third time by now.
        Assert.InRange(keepers.Sum(keeper => saved.GetValueOrDefault(keeper)), 2 * Serials, (2 * Serials) + (Serials / 10));
        Assert.DoesNotContain(cluster.Silos, silo => silo.ServiceProvider.GetRequiredService<OcspSiloOptions>().Role == SiloRole.Gateway
            && silo.ServiceProvider.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<RefreshKeeper>().Any());
        foreach (SerialNumber serial in serials)
        {
            Assert.IsType<CertStatus.GoodStatus>((await SiloCluster.AskAsync(signing[0], serial)).Status);
        }
    }

    private static async Task<InProcessTestCluster> BuildAsync(RedisConnection connection, RedisRevocationStore store, RedisResponseStore responses)
    {
        int silos = 0;
        InProcessTestClusterBuilder builder = new(3);
        builder.ConfigureSilo((_, silo) =>
        {
            SiloRole role = Interlocked.Increment(ref silos) == 3 ? SiloRole.Gateway : SiloRole.Sign;
            X509Certificate2 certificate = Issuers.Alpha.Responder.Certificate;
            SigningCredential credential = role == SiloRole.Gateway ? new SigningCredential(certificate, OcspSigner.Keyless(certificate)) : new SigningCredential(s_withKey);
            silo.Services.AddSingleton(connection);
            silo.Services.AddSingleton<IRevocationStore>(store);
            silo.Services.AddSingleton<IResponseStore>(responses);
            silo.Services.AddOcspResponder(responder => responder.AddIssuer(new Issuer(SiloCluster.Ca, Issuers.Alpha.Certificates, [credential], s_policy)));
            silo.AddOcspSilo(new OcspSiloOptions { Role = role, Lease = SiloCluster.Lease });
        });
        builder.Options.AssumeHomogenousSilosForTesting = false;
        return await SiloCluster.BuildAsync(builder);
    }

    // The newest answer of each certificate, once each is such; none may end meanwhile.
    private static async Task<Dictionary<SerialNumber, KeptResponse>> UntilAllAsync(RedisResponseStore responses, Func<KeptResponse, bool> condition)
    {
        long began = Stopwatch.GetTimestamp();
        int seen = 0;
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(100))
        {
            Dictionary<SerialNumber, KeptResponse> newest = [];
            await foreach (KeptResponse kept in responses.ReadAsync(SiloCluster.Ca, CancellationToken.None))
            {
                newest[kept.Serial] = kept;
            }

            Assert.True(newest.Count >= seen, $"{seen - newest.Count} answers ended.");
            seen = newest.Count;
            if (seen == Serials && newest.Values.All(condition))
            {
                return newest;
            }
        }

        throw new TimeoutException($"{seen} of {Serials} answers are there.");
    }
}
