using System.Globalization;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.Storage;

/// <summary>One redis-server for all tests of a class; each test has a prefix of keys of its own.</summary>
public sealed class SharedRedis : IAsyncLifetime
{
    private RedisServer? _server;
    private int _stores;

    /// <summary>The server. Skips the test when redis-server is absent.</summary>
    public RedisServer Server
    {
        get
        {
            Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
            return _server!;
        }
    }

    /// <summary>Options for a store that is empty.</summary>
    public RedisOptions NewStore() => new()
    {
        Configuration = Server.Configuration,
        KeyPrefix = string.Create(CultureInfo.InvariantCulture, $"test-{Interlocked.Increment(ref _stores)}"),
    };

    public async ValueTask InitializeAsync() => _server = RedisServer.WhyNot is null ? await RedisServer.StartAsync() : null;

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
