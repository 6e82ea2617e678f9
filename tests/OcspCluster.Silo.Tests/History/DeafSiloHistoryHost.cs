using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Host;
using OcspCluster.Silo.Tests.Host;
using OcspCluster.Silo.Tests.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.History;

/// <summary>Three silos in this process with invalidation switched off: whom a silo should tell what to forget, hears nothing, and counts as told. Everything else is as shipped, the leases too.</summary>
internal sealed class DeafSiloHistoryHost : IHistoryHost
{
    private readonly ScratchDirectory _directory = new();
    private readonly List<Gateway> _silos = [];

    private DeafSiloHistoryHost(IssuerSetup issuer)
    {
        Issuer = issuer.Id;
        IssuerCertificate = issuer.Certificate;
        ResponderCertificate = issuer.Responder.Certificate;
    }

    public IReadOnlyList<IHistoryGateway> Gateways => _silos;

    public string Issuer { get; }

    public X509Certificate2 IssuerCertificate { get; }

    public X509Certificate2 ResponderCertificate { get; }

    public string AdminKey => File.ReadAllText(_silos[0].Host.NewOperatorKeyFile!).Trim();

    public static async Task<IHistoryHost> StartAsync(ResponderSetup setup)
    {
        RedisServer redis = await HostRedis.GetAsync();
        string cluster = HostRedis.NewCluster();
        DeafSiloHistoryHost host = new(setup.Issuers[0]);
        try
        {
            IReadOnlyDictionary<string, string> settings = setup.WriteTo(host._directory.Path);
            for (int silo = 0; silo < SiloHistoryHost.Silos; silo++)
            {
                Dictionary<string, string?> keys = new(settings.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
                {
                    ["Redis:Configuration"] = redis.Configuration,
                    ["Redis:KeyPrefix"] = cluster,
                    ["Cluster:ClusterId"] = cluster,
                    ["Cluster:SiloPort"] = Ports.Next(),
                    ["Cluster:GatewayPort"] = "0",
                    ["Data"] = host._directory.File("data-" + Guid.NewGuid().ToString("N")),
                    ["Ocsp:Url"] = "http://127.0.0.1:0",
                    ["Admin:Url"] = "http://127.0.0.1:0",
                    ["Logging:LogLevel:Default"] = "Error",
                    ["Logging:LogLevel:Orleans"] = "Error",
                };
                SiloHost started = await SiloHost.StartAsync(
                    SiloHostOptions.Read(Settings.FromKeys(keys), TimeProvider.System.GetUtcNow()),
                    TimeProvider.System,
                    services => services.AddSingleton<ISiloPeers>(provider => new DeafPeers(ActivatorUtilities.CreateInstance<OrleansPeers>(provider))));
                host._silos.Add(new Gateway($"deaf silo {silo}", started));
            }

            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public IReadOnlyList<HistoryFault> PlanFaults(Random random, TimeSpan length) => [];

    public async ValueTask DisposeAsync()
    {
        foreach (Gateway silo in Enumerable.Reverse(_silos))
        {
            await silo.Host.DisposeAsync();
        }

        _directory.Dispose();
    }

    private sealed record Gateway(string Name, SiloHost Host) : IHistoryGateway
    {
        public Uri OcspUri => Host.OcspUris[0];

        public Uri AdminUri => Host.AdminUris[0];
    }

    private sealed class DeafPeers(OrleansPeers peers) : ISiloPeers
    {
        public string Self => peers.Self;

        public IReadOnlyList<string> Active => peers.Active;

        public IReadOnlyList<string> Living => peers.Living;

        public Task<long> ForgetAsync(string silo, Forgetting forgetting) => Task.FromResult(forgetting.Through);

        public Task<bool> PromiseAsync(string silo, IssuerId issuer) => peers.PromiseAsync(silo, issuer);

        public void TellPublished(string silo, IssuerId issuer, long position) => peers.TellPublished(silo, issuer, position);

        public Task PublishPendingAsync(IssuerId issuer) => peers.PublishPendingAsync(issuer);
    }
}
