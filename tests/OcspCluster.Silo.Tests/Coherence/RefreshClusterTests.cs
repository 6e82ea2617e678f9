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

/// <summary>What silos together do in the background: answers are renewed before they end, presigned, and signed anew when an operator says so; once, whoever is lost or joins.</summary>
public sealed class RefreshClusterTests
{
    private const int Serials = 100;

    // Due in the background 38 to 48 seconds after it was signed, and for a client at 48.
    private static readonly IssuerPolicy s_short = new() { Profile = IssuerProfile.Private, Validity = TimeSpan.FromMinutes(2), RefreshAt = 0.4, Backdate = TimeSpan.Zero, MaxAge = TimeSpan.FromSeconds(30) };
    private static readonly X509Certificate2 s_withKey = X509Certificate2.CreateFromPem(Issuers.Alpha.Responder.Certificate.ExportCertificatePem(), Issuers.Alpha.Responder.Key.ToPem());

    [Fact]
    public async Task Silo_ThatWasAsked_IsKilled_ItsAnswersAreRenewedElsewhere_AndSignedOnce()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        await using RefreshCluster cluster = await RefreshCluster.StartAsync(s_short, [SiloRole.Sign, SiloRole.Sign, SiloRole.Gateway]);
        IServiceProvider asked = cluster.Signing[1];
        SerialNumber[] serials = await cluster.IssueAsync(1, Serials);
        await RefreshCluster.AskAsync(asked, serials);
        Dictionary<SerialNumber, KeptResponse> first = await cluster.UntilAllAreKeptAsync(Serials, _ => true);
        await cluster.KillAsync(asked); // its actors and its parts are gone

        Dictionary<SerialNumber, KeptResponse> second = await cluster.UntilAllAreKeptAsync(Serials, kept => kept.ProducedAt > first[kept.Serial].ProducedAt);
        Assert.All(second.Values, kept => Assert.True(kept.ProducedAt < first[kept.Serial].NextUpdate - TimeSpan.FromSeconds(20), $"{kept.ProducedAt:u}, and the one before ended {first[kept.Serial].NextUpdate:u}"));

        // Each was signed once, and once more; a few may be due for the third time by now.
        Assert.InRange(cluster.Signatures, 2 * Serials, (2 * Serials) + (Serials / 10));
        Assert.Null(cluster.Gateway.GetRequiredService<ClusterRefresh>().Describe(SiloCluster.Ca)); // it signs nothing, so it owns nothing
        await RefreshCluster.AskAsync(cluster.Signing[0], serials);
    }

    [Fact]
    public async Task ResignAll_AtAGatewayWithoutAKey_IsOneRunOfAllSilos_ThoughOneIsKilledMeanwhile()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        await using RefreshCluster cluster = await RefreshCluster.StartAsync(new IssuerPolicy(), [SiloRole.Sign, SiloRole.Sign, SiloRole.Gateway]);
        SerialNumber[] serials = await cluster.IssueAsync(1, Serials);
        await RefreshCluster.AskAsync(cluster.Gateway, serials);
        await cluster.UntilAllAreKeptAsync(Serials, _ => true);

        ResignProgress begun = await RefreshCluster.ControlOf(cluster.Gateway).ResignAllAsync(cluster.Issuer, signaturesPerSecond: 20, CancellationToken.None);
        Assert.Equal((Serials, 0), (begun.Total, begun.Done));
        IServiceProvider killed = cluster.Signing[1];
        IServiceProvider[] left = [cluster.Signing[0], cluster.Gateway];
        await RefreshCluster.UntilAsync(async () => (await cluster.FindResigningAsync(cluster.Gateway))!.Done > Serials / 10);
        ResignProgress halfway = (await cluster.FindResigningAsync(cluster.Signing[0]))!;
        Assert.False(halfway.IsComplete);
        Assert.True(halfway.Remaining > TimeSpan.Zero);
        await cluster.KillAsync(killed);

        foreach (IServiceProvider silo in left)
        {
            await RefreshCluster.UntilAsync(async () => await cluster.FindResigningAsync(silo) is { IsComplete: true });
            ResignProgress done = (await cluster.FindResigningAsync(silo))!;
            Assert.Equal((Serials, begun.StartedAt, (TimeSpan?)TimeSpan.Zero), (done.Total, done.StartedAt, done.Remaining));
        }

        Dictionary<SerialNumber, KeptResponse> kept = await cluster.UntilAllAreKeptAsync(Serials, kept => kept.ProducedAt > begun.StartedAt);
        Assert.Equal(Serials, kept.Count);
        Assert.InRange(cluster.Signatures, 2 * Serials, (2 * Serials) + 16); // what was just being signed when its silo was lost may be signed again
        long before = cluster.Signatures;
        await RefreshCluster.AskAsync(cluster.Gateway, serials, producedAfter: begun.StartedAt);
        await RefreshCluster.AskAsync(cluster.Signing[0], serials, producedAfter: begun.StartedAt);
        Assert.Equal(before, cluster.Signatures); // clients find what the run has signed
    }

    [Fact]
    public async Task PresignAll_WhatNobodyAsksFor_IsSignedOnce_AndASiloThatJoinsTakesItsShare()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        await using RefreshCluster cluster = await RefreshCluster.StartAsync(new IssuerPolicy { Presign = Presign.All }, [SiloRole.Sign, SiloRole.Sign]);
        await cluster.IssueAsync(1, Serials);
        await cluster.UntilAllAreKeptAsync(Serials, _ => true);
        Assert.Equal(Serials, cluster.Signatures);

        IServiceProvider joined = await cluster.JoinAsync();
        await RefreshCluster.UntilAsync(() => Task.FromResult(PartsOf(joined) > 0 && cluster.Signing.Sum(PartsOf) == SerialPartitions.Count));
        Assert.All(cluster.Signing, silo => Assert.InRange(PartsOf(silo), 8, 40)); // a third each, more or less
        await RefreshCluster.UntilAsync(async () => await RefreshCluster.ControlOf(joined).DescribeAsync(cluster.Issuer, CancellationToken.None) is { IsComplete: true, Tracked: Serials, Backlog: 0 });
        await cluster.IssueAsync(Serials + 1, Serials);
        await cluster.UntilAllAreKeptAsync(2 * Serials, _ => true);

        Assert.True(joined.GetRequiredService<ClusterRefresh>().Describe(SiloCluster.Ca)!.Signatures > 0);
        Assert.Equal(2 * Serials, cluster.Signatures);

        static int PartsOf(IServiceProvider silo) => silo.GetRequiredService<ClusterRefresh>().Describe(SiloCluster.Ca)!.Parts;
    }

    [Fact]
    public void Parts_OfSilos_AreEvenAndMoveOnlyToAndFromWhoComesAndGoes()
    {
        string[] silos = [.. Enumerable.Range(1, 5).Select(i => $"S10.0.0.{i}:11111:{100 + i}")];
        PartOwners four = new(silos[..4]);
        PartOwners five = new([.. silos.Reverse()]);
        for (int part = 0; part < SerialPartitions.Count; part++)
        {
            string? owner = five.OwnerOf(SiloCluster.Ca, part);
            Assert.True(owner == silos[4] || owner == four.OwnerOf(SiloCluster.Ca, part));
        }

        Assert.All(silos, silo => Assert.InRange(five.PartsOf(SiloCluster.Ca, silo).Count, 5, 24));
        Assert.Equal(SerialPartitions.Count, silos.Sum(silo => five.PartsOf(SiloCluster.Ca, silo).Count));
        Assert.Null(new PartOwners([]).OwnerOf(SiloCluster.Ca, 0));
    }

    /// <summary>Silos over one Redis that keep what they sign there, and a count of what these silos signed and kept.</summary>
    private sealed class RefreshCluster : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<object, long> _saved = []; // by the KeptAnswers that saved it: other tests of this process have silos, too
        private readonly List<KeptAnswers> _keepers = [];
        private readonly MeterListener _listener = new();
        private readonly IssuerPolicy _policy;
        private readonly List<SiloRole> _roles;
        private RedisServer? _redis;
        private RedisConnection? _connection;
        private RedisRevocationStore? _store;
        private RedisResponseStore? _responses;
        private InProcessTestCluster? _cluster;
        private int _started;

        private RefreshCluster(IssuerPolicy policy, SiloRole[] roles)
        {
            _policy = policy;
            _roles = [.. roles];
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument is { Name: "ocsp.kept.saved", Meter.Name: "OcspCluster.KeptAnswers" })
                {
                    self.EnableMeasurementEvents(instrument, instrument.Meter.Scope);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, count, _, keeper) => _saved.AddOrUpdate(keeper!, count, (_, sum) => sum + count));
            _listener.Start();
            Issuer = CreateIssuer(SiloRole.Sign);
        }

        public Issuer Issuer { get; }

        public List<IServiceProvider> Signing => Of(SiloRole.Sign);

        public IServiceProvider Gateway => Of(SiloRole.Gateway).Single();

        /// <summary>What was signed, by the silos that were lost, too.</summary>
        public long Signatures => _keepers.Sum(keeper => _saved.GetValueOrDefault(keeper));

        public static async Task<RefreshCluster> StartAsync(IssuerPolicy policy, SiloRole[] roles)
        {
            RefreshCluster cluster = new(policy, roles);
            try
            {
                await cluster.StartAsync();
                return cluster;
            }
            catch
            {
                await cluster.DisposeAsync();
                throw;
            }
        }

        public static IRefreshControl ControlOf(IServiceProvider silo) => silo.GetRequiredService<IRefreshControl>();

        public Task<ResignProgress?> FindResigningAsync(IServiceProvider silo) => ControlOf(silo).FindResigningAsync(Issuer, CancellationToken.None);

        public Task KillAsync(IServiceProvider silo) => _cluster!.KillSiloAsync(_cluster.Silos.Single(handle => ReferenceEquals(handle.ServiceProvider, silo)));

        public async Task<IServiceProvider> JoinAsync()
        {
            _roles.Add(SiloRole.Sign);
            IServiceProvider joined = (await _cluster!.StartAdditionalSiloAsync()).ServiceProvider;
            _keepers.Add(joined.GetRequiredService<KeptAnswers>());
            return joined;
        }

        public async Task<SerialNumber[]> IssueAsync(int from, int count)
        {
            SerialNumber[] serials = [.. Enumerable.Range(from, count).Select(number => Serial(number))];
            await SiloCluster.SubmitAsync(Signing[0], [.. serials.Select((serial, i) => Issued($"issue-{from + i}", serial))]);
            return serials;
        }

        public static async Task AskAsync(IServiceProvider silo, SerialNumber[] serials, DateTimeOffset? producedAfter = null)
        {
            OcspResponder responder = silo.GetRequiredService<OcspResponder>();
            foreach (SerialNumber serial in serials)
            {
                byte[] request = new OcspRequestBuilder().Add(CertId.Create(Issuers.Alpha.Certificate, serial)).Build().Encoded.ToArray();
                OcspReply reply = await responder.AnswerAsync(request, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
                Assert.IsType<CertStatus.GoodStatus>(OcspResponse.Decode(reply.Body).Basic!.Data.Responses[0].Status);
                Assert.True(producedAfter is null || reply.Response!.ProducedAt > producedAfter);
            }
        }

        // The newest answer of each certificate, once each is such; none may end meanwhile.
        public async Task<Dictionary<SerialNumber, KeptResponse>> UntilAllAreKeptAsync(int count, Func<KeptResponse, bool> condition)
        {
            Dictionary<SerialNumber, KeptResponse> newest = [];
            await UntilAsync(async () =>
            {
                int seen = newest.Count;
                newest.Clear();
                await foreach (KeptResponse kept in _responses!.ReadAsync(SiloCluster.Ca, CancellationToken.None))
                {
                    if (!newest.TryGetValue(kept.Serial, out KeptResponse? other) || other.ProducedAt < kept.ProducedAt)
                    {
                        newest[kept.Serial] = kept;
                    }
                }

                Assert.True(newest.Count >= seen, $"{seen - newest.Count} answers ended.");
                return newest.Count == count && newest.Values.All(condition);
            });
            return newest;
        }

        public static async Task UntilAsync(Func<Task<bool>> isSo)
        {
            long began = Stopwatch.GetTimestamp();
            using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
            while (!await isSo())
            {
                Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(100), "It is not so after 100 seconds.");
                await timer.WaitForNextTickAsync();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await (_cluster?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (_responses?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (_store?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (_connection?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (_redis?.DisposeAsync() ?? ValueTask.CompletedTask);
            _listener.Dispose();
        }

        private async Task StartAsync()
        {
            _redis = await RedisServer.StartAsync();
            RedisOptions options = new() { Configuration = _redis.Configuration };
            _connection = await RedisConnection.OpenAsync(options.Configuration);
            _store = await RedisRevocationStore.OpenAsync(_connection, options, TimeProvider.System, CancellationToken.None);
            _responses = await RedisResponseStore.OpenAsync(_connection, TimeProvider.System);
            InProcessTestClusterBuilder builder = new((short)_roles.Count);
            builder.ConfigureSilo((_, silo) =>
            {
                SiloRole role = _roles[Interlocked.Increment(ref _started) - 1];
                silo.Services.AddSingleton(_connection);
                silo.Services.AddSingleton<IRevocationStore>(_store);
                silo.Services.AddSingleton<IResponseStore>(_responses);
                silo.Services.AddOcspResponder(responder => responder.AddIssuer(CreateIssuer(role)));
                silo.AddOcspSilo(new OcspSiloOptions { Role = role, Lease = SiloCluster.Lease, CallDeadline = TimeSpan.FromSeconds(5) }); // a busy machine
            });
            builder.Options.AssumeHomogenousSilosForTesting = false;
            _cluster = await SiloCluster.BuildAsync(builder);
            await _cluster.DeployAsync();
            _keepers.AddRange(_cluster.Silos.Select(silo => silo.ServiceProvider.GetRequiredService<KeptAnswers>()));
        }

        private Issuer CreateIssuer(SiloRole role)
        {
            X509Certificate2 certificate = Issuers.Alpha.Responder.Certificate;
            SigningCredential credential = role == SiloRole.Gateway ? new SigningCredential(certificate, OcspSigner.Keyless(certificate)) : new SigningCredential(s_withKey);
            return new Issuer(SiloCluster.Ca, Issuers.Alpha.Certificates, [credential], _policy);
        }

        private List<IServiceProvider> Of(SiloRole role) =>
            [.. _cluster!.Silos.Select(silo => silo.ServiceProvider).Where(silo => silo.GetRequiredService<OcspSiloOptions>().Role == role)];
    }
}
