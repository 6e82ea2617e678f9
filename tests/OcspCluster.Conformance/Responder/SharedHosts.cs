namespace OcspCluster.Conformance;

/// <summary>
/// Hosts that the tests of one class share because they want the same setup; they end with the class. xunit makes one per derived class
/// and hands it to each test's instance.
/// </summary>
public sealed class SharedHosts : IAsyncLifetime
{
    private readonly Dictionary<string, IResponderHost> _hosts = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>The host of this name, started now if it is the first time. The tests of one class run one after the other.</summary>
    public async Task<IResponderHost> GetAsync(string name, Func<Task<IResponderHost>> start)
    {
        ArgumentNullException.ThrowIfNull(start);
        if (!_hosts.TryGetValue(name, out IResponderHost? host))
        {
            host = await start().ConfigureAwait(false);
            _hosts.Add(name, host);
        }

        return host;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (IResponderHost host in _hosts.Values)
        {
            await host.DisposeAsync().ConfigureAwait(false);
        }
    }
}
