using System.Net;
using System.Net.Sockets;
using OcspCluster.Hosting;
using OcspCluster.Silo.Storage;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace OcspCluster.Silo.Host;

/// <summary>Orleans as we run it. The figures behind the numbers are in docs/decisions/0022-silo-host.md.</summary>
internal static class OrleansSetup
{
    /// <summary>Adds the silo. What is added before it starts before it and ends after it.</summary>
    public static void AddOrleans(this WebApplicationBuilder builder, SiloHostOptions options)
    {
        // Its first look finds that the thread it looks after has never run, and says so by a warning at each start. First in the list: whoever names the category in the configuration has the last word.
        builder.Services.Configure<LoggerFilterOptions>(filters => filters.Rules.Insert(0, new LoggerFilterRule(providerName: null, "Orleans.Runtime.Watchdog", LogLevel.Error, filter: null)));
        builder.UseOrleans(silo => Configure(silo, options));
    }

    private static void Configure(ISiloBuilder silo, SiloHostOptions options)
    {
        silo.Configure<ClusterOptions>(cluster =>
        {
            cluster.ClusterId = options.ClusterId;
            cluster.ServiceId = options.ServiceId;
        });
        silo.Configure<SiloOptions>(names => names.SiloName = NameOf(options));
        silo.ConfigureEndpoints(options.AdvertisedAddress, options.SiloPort, options.GatewayPort, listenOnAnyHostAddress: !IPAddress.IsLoopback(options.AdvertisedAddress));
        silo.UseRedisClustering(clustering => clustering.ConfigurationOptions = RedisConnection.Read(options.Redis));
        silo.Configure<ClusterMembershipOptions>(membership => Tune(membership, options.ProbeTimeout));
        silo.Configure<GrainCollectionOptions>(collection =>
        {
            // An idle certificate costs 3.3 KB; what is asked for again is loaded from the store at about 10,000 a second.
            collection.CollectionAge = TimeSpan.FromMinutes(10);
            collection.CollectionQuantum = TimeSpan.FromMinutes(1);
        });
        silo.Configure<LoadSheddingOptions>(shedding => shedding.LoadSheddingEnabled = false); // it refuses by CPU load, and a busy responder is a good one
        silo.AddActivityPropagation();
        silo.AddOcspSilo(options.Silo);
        silo.AddGrainService<SiloInfoService>();
        silo.Services.AddSingleton<SiloInfoClient>();
        if (options.HasOrleansDashboard)
        {
            silo.AddDashboard();
        }
    }

    /// <summary>What the silo is called.</summary>
    public static string NameOf(SiloHostOptions options) => $"{Environment.MachineName}-{options.SiloPort}";

    /// <summary>Where the silo is reached: no two silos of a cluster have one at a time, as cloned machines may have a name.</summary>
    public static string EndpointOf(SiloHostOptions options) => new IPEndPoint(options.AdvertisedAddress, options.SiloPort).ToString();

    /// <summary>Finds out early and in words that a port is taken: Orleans would tell it by a stack.</summary>
    /// <exception cref="HostStartException">A port is in use, or the address is not this machine's.</exception>
    public static void CheckPorts(SiloHostOptions options)
    {
        foreach ((string key, int port) in new[] { ("Cluster:SiloPort", options.SiloPort), ("Cluster:GatewayPort", options.GatewayPort) })
        {
            if (port == 0)
            {
                continue;
            }

            using TcpListener listener = new(IPAddress.IsLoopback(options.AdvertisedAddress) ? options.AdvertisedAddress : IPAddress.Any, port) { ExclusiveAddressUse = true };
            try
            {
                listener.Start();
            }
            catch (SocketException e)
            {
                throw new HostStartException(
                    e.SocketErrorCode == SocketError.AddressAlreadyInUse
                        ? $"{key} = {port}: the port is in use by another program, perhaps another silo: stop that one, or give this one a port of its own."
                        : $"{key} = {port}: the port cannot be listened on: {e.Message}",
                    e);
            }
        }
    }

    // A silo that was killed or stands still is out when it missed 2 probes: one goes out every half second, and a process that is gone refuses it at once. Two votes where there are enough
    // silos, so that one that cannot see another does not evict it alone. Under load probes get more time (decision 22 has the figures).
    private static void Tune(ClusterMembershipOptions membership, TimeSpan probeTimeout)
    {
        membership.ProbeTimeout = probeTimeout;

        // With it no vote counts against a silo that sent anything within eight probes: one that stands still would be a member for four seconds more, and hold up its writers' events.
        membership.EnableConnectionLivenessCheck = false;
        membership.NumMissedProbesLimit = 2;
        membership.NumVotesForDeathDeclaration = 2;
        membership.TableRefreshTimeout = TimeSpan.FromSeconds(10);

        // Who starts again after all silos were lost does not wait long for the rows of the dead.
        membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
        membership.NumMissedTableIAmAliveLimit = 3;
        membership.MaxJoinAttemptTime = TimeSpan.FromMinutes(1);
        membership.DefunctSiloExpiration = TimeSpan.FromDays(1);
        membership.DefunctSiloCleanupPeriod = TimeSpan.FromHours(1);
    }
}
