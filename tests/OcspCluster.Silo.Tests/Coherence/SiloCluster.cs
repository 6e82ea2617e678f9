using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Storage;
using OcspCluster.Silo.Tests.Storage;
using Orleans.TestingHost;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>Three silos of Orleans in this process, over a real redis-server; one is a gateway without a key.</summary>
public sealed class SiloCluster : IAsyncLifetime
{
    internal static readonly IssuerId Ca = new("alpha");

    private static readonly X509Certificate2 s_withKey = X509Certificate2.CreateFromPem(Issuers.Alpha.Responder.Certificate.ExportCertificatePem(), Issuers.Alpha.Responder.Key.ToPem());

    private readonly ConcurrentDictionary<string, bool> _deaf = [];
    private RedisServer? _redis;
    private RedisConnection? _connection;
    private RedisRevocationStore? _store;
    private InProcessTestCluster? _cluster;

    /// <summary>Long enough that a busy machine does not break a lease by accident.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(4);

    public RedisServer Redis => _redis!;

    internal IReadOnlyList<IServiceProvider> Silos => [.. _cluster!.Silos.Select(silo => silo.ServiceProvider)];

    /// <summary>Those that sign.</summary>
    internal IReadOnlyList<IServiceProvider> Signing => [.. Silos.Where(silo => silo.GetRequiredService<OcspSiloOptions>().Role == SiloRole.Sign)];

    /// <summary>The one without a key.</summary>
    internal IServiceProvider Keyless => Silos.Single(silo => silo.GetRequiredService<OcspSiloOptions>().Role == SiloRole.Gateway);

    /// <summary>Calls that would have a silo forget do not reach it.</summary>
    internal void MakeDeaf(IServiceProvider silo, bool isDeaf) => _deaf[NameOf(silo)] = isDeaf;

    internal static string NameOf(IServiceProvider silo) => silo.GetRequiredService<ISiloPeers>().Self;

    internal static IssuerCoherence CoherenceOf(IServiceProvider silo) => silo.GetRequiredService<CoherenceDirectory>().Find(Ca)!.Coherence;

    internal long Activations => Silos.Sum(silo => silo.GetRequiredService<CertificateActors>().Activations);

    internal Task KillAsync(IServiceProvider silo) => _cluster!.KillSiloAsync(_cluster.Silos.Single(handle => ReferenceEquals(handle.ServiceProvider, silo)));

    internal static async Task<IReadOnlyList<EventOutcome>> SubmitAsync(IServiceProvider silo, params RevocationEvent[] events) =>
        await silo.GetRequiredService<IRevocationAuthority>().SubmitAsync(Ca, events, Submitter.Local, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    internal static async Task<(OcspOutcome Outcome, CertStatus? Status)> AskAsync(IServiceProvider silo, SerialNumber serial, bool hasNonce = false)
    {
        OcspRequestBuilder builder = new OcspRequestBuilder().Add(CertId.Create(Issuers.Alpha.Certificate, serial));
        byte[] request = (hasNonce ? builder.AddNonce() : builder).Build().Encoded.ToArray();
        OcspReply reply = await silo.GetRequiredService<OcspResponder>().AnswerAsync(request, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        return (reply.Outcome, reply.Response is null ? null : OcspResponse.Decode(reply.Body).Basic!.Data.Responses[0].Status);
    }

    public async ValueTask InitializeAsync()
    {
        if (RedisServer.WhyNot is not null)
        {
            return;
        }

        _redis = await RedisServer.StartAsync();
        RedisOptions options = new() { Configuration = _redis.Configuration };
        _connection = await RedisConnection.OpenAsync(options.Configuration);
        _store = await RedisRevocationStore.OpenAsync(_connection, options, TimeProvider.System, CancellationToken.None);
        int silos = 0;
        InProcessTestClusterBuilder builder = new(3);
        builder.ConfigureSilo((_, silo) =>
        {
            SiloRole role = Interlocked.Increment(ref silos) == 3 ? SiloRole.Gateway : SiloRole.Sign;
            silo.Services.AddSingleton(_connection);
            silo.Services.AddSingleton<IRevocationStore>(_store);
            silo.Services.AddSingleton<ISiloPeers>(provider => new DeafPeers(ActivatorUtilities.CreateInstance<OrleansPeers>(provider), _deaf));
            silo.Services.AddOcspResponder(responder => responder.AddIssuer(new Issuer(Ca, Issuers.Alpha.Certificates, [Credential(role)])));
            silo.AddOcspSilo(new OcspSiloOptions { Role = role, Lease = Lease });
        });
        builder.Options.AssumeHomogenousSilosForTesting = false;
        _cluster = await BuildAsync(builder);
        await _cluster.DeployAsync();
    }

    // Orleans looks for its gateway ports among those that connections go out from: behind tests that made thousands of connections it takes up to a minute until enough neighbours are free.
    internal static async Task<InProcessTestCluster> BuildAsync(InProcessTestClusterBuilder builder)
    {
        builder.Options.ConfigureFileLogging = false; // else into whatever directory the tests run in
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(2));
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return builder.Build();
            }
            catch (InvalidOperationException) when (attempt < 60)
            {
                await timer.WaitForNextTickAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        await (_store?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_connection?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_redis?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static SigningCredential Credential(SiloRole role)
    {
        X509Certificate2 certificate = Issuers.Alpha.Responder.Certificate;
        return role == SiloRole.Gateway ? new SigningCredential(certificate, OcspSigner.Keyless(certificate)) : new SigningCredential(s_withKey);
    }

    private sealed class DeafPeers(OrleansPeers peers, ConcurrentDictionary<string, bool> deaf) : ISiloPeers
    {
        public string Self => peers.Self;

        public IReadOnlyList<string> Active => peers.Active;

        public IReadOnlyList<string> Living => peers.Living;

        public Task<long> ForgetAsync(string silo, Forgetting forgetting) =>
            deaf.GetValueOrDefault(silo) ? new TaskCompletionSource<long>().Task : peers.ForgetAsync(silo, forgetting);

        public Task<bool> PromiseAsync(string silo, IssuerId issuer) => peers.PromiseAsync(silo, issuer);

        public void TellPublished(string silo, IssuerId issuer, long position) => peers.TellPublished(silo, issuer, position);

        public Task PublishPendingAsync(IssuerId issuer) => peers.PublishPendingAsync(issuer);
    }
}
