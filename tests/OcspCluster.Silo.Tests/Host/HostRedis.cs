using System.Globalization;
using OcspCluster.Silo.Tests.Host;
using OcspCluster.Silo.Tests.Storage;

[assembly: AssemblyFixture(typeof(HostRedis))]

namespace OcspCluster.Silo.Tests.Host;

/// <summary>One redis-server for all clusters of this assembly that do not break it; each has a prefix of keys, and a name, of its own.</summary>
public sealed class HostRedis : IAsyncDisposable
{
    private static readonly Lazy<Task<RedisServer>> s_server = new(() => RedisServer.StartAsync());
    private static int s_clusters;

    /// <summary>The server; the test is skipped where redis-server is absent.</summary>
    public static Task<RedisServer> GetAsync()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        return s_server.Value;
    }

    /// <summary>A name that no other cluster has.</summary>
    public static string NewCluster() => string.Create(CultureInfo.InvariantCulture, $"cluster-{Interlocked.Increment(ref s_clusters)}");

    public async ValueTask DisposeAsync()
    {
        if (s_server.IsValueCreated)
        {
            await (await s_server.Value).DisposeAsync();
        }
    }
}
