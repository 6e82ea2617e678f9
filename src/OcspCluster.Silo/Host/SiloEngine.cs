using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Demo;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Events;
using OcspCluster.Silo.Refresh;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Host;

/// <summary>What makes a host a silo: the shared store, the actors, and what all silos have in common.</summary>
internal sealed class SiloEngine : IHostEngine, IAsyncDisposable
{
    private readonly SiloHostOptions _options;
    private readonly RedisConnection _connection;
    private readonly SharedCheckpoints _checkpoints;
    private readonly RedisResponseStore _responses;
    private readonly Action<IServiceCollection>? _replace;
    private IServiceProvider? _services;

    private SiloEngine(
        SiloHostOptions options,
        RedisConnection connection,
        RedisRevocationStore store,
        RedisResponseStore responses,
        SharedCheckpoints checkpoints,
        IReadOnlyList<Issuer> issuers,
        DemoPki? demo,
        Action<IServiceCollection>? replace)
    {
        _options = options;
        _connection = connection;
        _checkpoints = checkpoints;
        _responses = responses;
        _replace = replace;
        Store = store;
        Issuers = issuers;
        Demo = demo;
    }

    /// <summary>The store.</summary>
    public RedisRevocationStore Store { get; }

    /// <summary>The demo CA, where this silo has its keys; null when it has not, and when issuers are configured.</summary>
    public DemoPki? Demo { get; }

    /// <summary>Whether the demo CA is answered for.</summary>
    public bool IsDemo => _options.Responder.Issuers.Count == 0;

    /// <inheritdoc/>
    public string Name => "OcspCluster.Silo";

    /// <inheritdoc/>
    public IReadOnlyList<string> QuietCategories { get; } = ["Orleans", typeof(GatewayService).FullName!, typeof(RefreshService).FullName!, typeof(SiloInfoService).FullName!];

    /// <inheritdoc/>
    public IReadOnlyList<Issuer> Issuers { get; }

    /// <summary>Opens the store, and what all silos share.</summary>
    /// <exception cref="RevocationStoreException">Redis cannot be reached, or holds a newer version's data.</exception>
    /// <exception cref="HostStartException">The demo's files are damaged, or the journal's key is another cluster's.</exception>
    public static async Task<SiloEngine> OpenAsync(SiloHostOptions options, RedisConnection connection, TimeProvider clock, Action<IServiceCollection>? replace)
    {
        RedisRevocationStore store = await RedisRevocationStore.OpenAsync(connection, options.Redis, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
        try
        {
            await using StartTurn turn = await StartTurn.TakeAsync(connection).ConfigureAwait(false);
            string data = options.Responder.DataDirectory;
            SharedCheckpoints checkpoints = await SharedCheckpoints.OpenAsync(connection, data, options.IsSigner, clock).ConfigureAwait(false);
            (IReadOnlyList<Issuer> issuers, DemoPki? demo) = await OpenIssuersAsync(options, connection, clock).ConfigureAwait(false);
            return new SiloEngine(options, connection, store, await RedisResponseStore.OpenAsync(connection, clock).ConfigureAwait(false), checkpoints, issuers, demo, replace);
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Add(WebApplicationBuilder builder)
    {
        _replace?.Invoke(builder.Services); // first: what is there already stays
        builder.AddOrleans(_options);
        builder.Services.AddSingleton<IRevocationStore>(Store); // the host disposes it, after the services
        builder.Services.AddSingleton(Store);
        builder.Services.AddSingleton(_connection);
        builder.Services.AddSingleton<IResponseStore>(_responses); // as the store
        builder.Services.AddSingleton<IDeliveryCursorStore>(Store.OpenDeliveryCursors());
        builder.Services.AddSingleton<ICrlRecords>(new RedisCrlRecords(_connection));
        builder.Services.AddSingleton(services => new RedisSourceTurns(_connection, OrleansSetup.EndpointOf(_options), services.GetRequiredService<ILogger<RedisSourceTurns>>()));
        builder.Services.AddSingleton<ISourceTurns>(services => services.GetRequiredService<RedisSourceTurns>());
        builder.Services.AddHostedService(services => services.GetRequiredService<RedisSourceTurns>());
        builder.Services.AddSingleton(_options.Responder.Deliveries.For(OrleansSetup.EndpointOf(_options))); // of all silos one delivers at a time
        builder.Services.AddSingleton<IApiKeyDocument>(new RedisApiKeys(_connection));
        builder.Services.AddSingleton(new JournalNotes(() => RedisAuditStore.Open(_connection), _checkpoints.SignAsync) { MaySign = _checkpoints.MaySign });
        builder.Services.AddCredentialWatch(_options.Responder, Issuers, IsDemo);
        builder.Services.AddSingleton(_options);
        builder.Services.AddSingleton(services => new SiloSelf(_options.IsSigner ? "signer" : "gateway", () => services.GetRequiredService<CoherenceDirectory>().All.ToDictionary(
            issuer => issuer.Coherence.Issuer.ToString(), issuer => Math.Max(0, Math.Round(issuer.Coherence.LeaseLeft.TotalSeconds, 2))),
            () => CountActivations(services), services.GetRequiredService<ClusterChronicle>()));
        builder.Services.AddSingleton<SiloOverview>();
        builder.Services.AddSingleton<ICachesElsewhere, SiloCaches>();
        builder.Services.AddSingleton(new NodeIdentity(OrleansSetup.NameOf(_options), _options.IsSigner ? "silo" : "gateway"));
        builder.Services.AddSingleton<IOverviewPeers, OverviewPeers>();
        builder.Services.AddSingleton(services => new HostFindings(() => FindFindings(services.GetRequiredService<ClusterChronicle>())));
        builder.Services.AddSingleton<ClockAcceptance, ClusterClockAcceptance>();
        builder.Services.AddSingleton<IClusterOverview>(services => services.GetRequiredService<SiloOverview>());
    }

    /// <inheritdoc/>
    public void Map(WebApplication app)
    {
        _services = app.Services;
        if (_options.HasOrleansDashboard)
        {
            app.MapGuardedOrleansDashboard();
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> FindNotReadyAsync(CancellationToken cancellationToken)
    {
        SiloStatus status = _services!.GetRequiredService<ISiloStatusOracle>().CurrentStatus;
        return Task.FromResult<IReadOnlyList<string>>(status == SiloStatus.Active ? [] : [$"cluster: this silo is not an active member of '{_options.ClusterId}' but {status}"]);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> FindWarnings()
    {
        StoreView store = _services!.GetRequiredService<SiloOverview>().Store;
        List<string> warnings = [];
        if (!store.IsReachable || !store.IsDurable)
        {
            warnings.Add($"store: {store.Description}");
        }

        if (_checkpoints.Warning is string warning)
        {
            warnings.Add(warning);
        }

        return warnings;
    }

    private List<Finding> FindFindings(ClusterChronicle chronicle)
    {
        List<Finding> findings = [.. chronicle.FindLost()];
        if (_checkpoints.Warning is string warning)
        {
            findings.Add(new Finding("host.warning", FindingSeverity.Warning, warning, "The sentence says what to do."));
        }

        return findings;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync().ConfigureAwait(false);
        await _responses.DisposeAsync().ConfigureAwait(false);
        _checkpoints.Dispose();
        foreach (SigningCredential credential in Issuers.SelectMany(issuer => issuer.Credentials))
        {
            credential.Dispose();
        }
    }

    private Dictionary<string, int> CountActivations(IServiceProvider services) => _options.IsSigner
        ? new() { ["ca"] = services.GetRequiredService<CaSequencers>().Active, ["certificate"] = (int)services.GetRequiredService<CertificateActors>().Active }
        : [];

    private static async Task<(IReadOnlyList<Issuer> Issuers, DemoPki? Demo)> OpenIssuersAsync(SiloHostOptions options, RedisConnection connection, TimeProvider clock)
    {
        if (options.Responder.Issuers.Count > 0)
        {
            return (options.Responder.Issuers, null);
        }

        string directory = Path.Combine(options.Responder.DataDirectory, DemoPki.DirectoryName);
        if (!options.IsSigner)
        {
            return ([await SharedDemo.OpenWithoutKeysAsync(connection, directory).ConfigureAwait(false)], null);
        }

        Uri ocsp = new(ListenUrls.ForClients(new Uri(options.Responder.Listener.Urls[0])));
        DemoPki demo = await SharedDemo.OpenAsync(connection, directory, ocsp, clock.GetUtcNow()).ConfigureAwait(false);
        return ([demo.Issuer], demo);
    }
}
