using System.Net.Sockets;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Demo;
using OcspCluster.Hosting.Keys;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Host;

/// <summary>One silo of a cluster: the OCSP listener and the admin listener that every host has, Orleans, and the store in Redis that all silos share.</summary>
/// <remarks>Thread-safe once started. Disposing it drains, leaves the cluster and closes everything.</remarks>
public sealed partial class SiloHost : IRunningHost
{
    /// <summary>How long leaving the cluster may take: leases are handed back, and activations end or move.</summary>
    public static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(10);

    private readonly SiloEngine _engine;
    private readonly ResponderApplication _application;
    private readonly RedisConnection _connection;
    private readonly TimeSpan _drainDelay;
    private int _disposed;

    private SiloHost(SiloEngine engine, RedisConnection connection, SiloHostOptions options, TimeProvider clock)
    {
        _engine = engine;
        _connection = connection;
        _drainDelay = options.DrainDelay;
        _application = new ResponderApplication(options.Responder, engine, clock);
    }

    /// <summary>Where OCSP is answered, with the real ports.</summary>
    public IReadOnlyList<Uri> OcspUris => _application.OcspUris;

    /// <summary>Where the operator's endpoints are, with the real ports.</summary>
    public IReadOnlyList<Uri> AdminUris => _application.AdminUris;

    /// <summary>The file that the first start wrote the operator's key to; null when there were keys already.</summary>
    public string? NewOperatorKeyFile { get; private set; }

    ResponderApplication IRunningHost.Application => _application;

    bool IRunningHost.IsDemo => _engine.IsDemo;

    /// <summary>The services, for tests within the process.</summary>
    internal IServiceProvider Services => _application.Services;

    /// <summary>Joins the cluster and returns when the silo answers.</summary>
    /// <param name="options">What it runs with; the host disposes the issuers' keys.</param>
    /// <param name="clock">The clock of everything that is signed, checked and recorded. Leases and deadlines go by the system's.</param>
    /// <exception cref="RevocationStoreException">Redis cannot be reached, or holds a newer version's data.</exception>
    /// <exception cref="HostStartException">An address or port cannot be listened on, or the cluster cannot be joined.</exception>
    public static Task<SiloHost> StartAsync(SiloHostOptions options, TimeProvider clock) => StartAsync(options, clock, replace: null);

    /// <summary>The same with services that take the place of the silo's own: a test builds a silo with something missing, to prove that it would be noticed.</summary>
    internal static async Task<SiloHost> StartAsync(SiloHostOptions options, TimeProvider clock, Action<IServiceCollection>? replace)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        OrleansSetup.CheckPorts(options);
        CreateDataDirectory(options.Responder.DataDirectory);
        RedisConnection connection = await RedisConnection.OpenAsync(options.Redis).ConfigureAwait(false);
        SiloHost? host = null;
        SiloEngine? engine = null;
        try
        {
            engine = await SiloEngine.OpenAsync(options, connection, clock, replace).ConfigureAwait(false);
            host = new SiloHost(engine, connection, options, clock);
            await host.StartAsync(options).ConfigureAwait(false);
            return host;
        }
        catch
        {
            if (host is not null)
            {
                await host.DisposeAsync().ConfigureAwait(false);
            }
            else if (engine is not null)
            {
                await engine.DisposeAsync().ConfigureAwait(false);
            }

            await connection.DisposeAsync().ConfigureAwait(false); // the second time for nothing
            throw;
        }
    }

    /// <summary>Submits events of one issuer, and returns when the applied ones are durable and no older answer is given any more, by any silo.</summary>
    /// <exception cref="RevocationStoreException">The outcome is unknown: submit the events again with the same ids.</exception>
    public ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(string issuer, IReadOnlyList<RevocationEvent> events, CancellationToken cancellationToken = default) =>
        _application.Services.GetRequiredService<IRevocationAuthority>().SubmitAsync(new IssuerId(issuer), events, Submitter.Local, cancellationToken);

    /// <summary>Tells load balancers to stay away, drains, hands leases and activations back, leaves the cluster and closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _application.EndAsync(_drainDelay, LeaveTimeout).ConfigureAwait(false);
        await _engine.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task StartAsync(SiloHostOptions options)
    {
        ILogger log = _application.Services.GetRequiredService<ILogger<SiloHost>>();
        _application.LogWarnings(log);
        await _application.Services.GetRequiredService<ClockGuard>().NoteJournalsAsync(_engine.Store, _engine.Issuers.Select(issuer => issuer.Id), CancellationToken.None).ConfigureAwait(false);
        await using (await StartTurn.TakeAsync(_connection).ConfigureAwait(false))
        {
            NewOperatorKeyFile = OperatorKey.Ensure(_application.Services.GetRequiredService<ApiKeyStore>(), options.Responder.DataDirectory);
        }

        try
        {
            await _application.StartAsync(_engine.Demo is { } demo ? () => SeedAsync(demo) : null).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OrleansException or SocketException or StackExchange.Redis.RedisException or TimeoutException)
        {
            throw new HostStartException($"The cluster '{options.ClusterId}' cannot be joined: {e.GetBaseException().Message} Check that Redis ({_connection.Description}) answers, and that the silos reach each other at the addresses that they advertise (Cluster:AdvertisedAddress).", e);
        }

        LogAnswering(
            log, string.Join(", ", _engine.Issuers.Select(issuer => issuer.Id)), options.IsSigner ? "signer" : "gateway", OrleansSetup.NameOf(options), options.ClusterId, _engine.Store.Durability.Description);
    }

    [LoggerMessage(215, LogLevel.Information, "Answering for {Issuers} as {Role} {Silo} of cluster {Cluster}; store: {Store}")]
    private static partial void LogAnswering(ILogger log, string issuers, string role, string silo, string cluster, string store);

    // Where Redis is not durable the demo's events are refused, and the silo answers all the same: what to do is in /health/ready.
    private async Task SeedAsync(DemoPki demo)
    {
        try
        {
            await demo.SeedAsync(_application.Services.GetRequiredService<IRevocationAuthority>(), _application.OcspUriForClients).ConfigureAwait(false);
        }
        catch (RevocationStoreException e) when (!_engine.Store.Durability.IsAccepted)
        {
            throw new HostStartException($"The demo's certificates cannot be recorded. {e.Message}", e);
        }
    }

    private static void CreateDataDirectory(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostStartException($"The data directory '{directory}' cannot be created: {e.Message}", e);
        }
    }
}
