using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Audit;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Demo;
using OcspCluster.Hosting.Keys;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone;

/// <summary>The responder in one process: an SQLite store, a sequencer per issuer, the OCSP listener and the admin listener.</summary>
/// <remarks>Thread-safe once started. Disposing it drains and closes everything.</remarks>
public sealed partial class StandaloneHost : IRunningHost
{
    /// <summary>The name, within the data directory, of the file that the first start writes the operator's key to.</summary>
    public const string OperatorKeyFileName = OperatorKey.FileName;

    private readonly Engine _engine;
    private readonly ResponderApplication _application;
    private readonly IRevocationAuthority _authority;
    private int _disposed;

    private StandaloneHost(Engine engine, TimeProvider clock)
    {
        _engine = engine;
        _application = new ResponderApplication(engine.Options, engine, clock);
        _authority = _application.Services.GetRequiredService<IRevocationAuthority>();
    }

    /// <summary>Where OCSP is answered, with the real ports.</summary>
    public IReadOnlyList<Uri> OcspUris => _application.OcspUris;

    /// <summary>Where the operator's endpoints are, with the real ports.</summary>
    public IReadOnlyList<Uri> AdminUris => _application.AdminUris;

    /// <summary>The file that the first start wrote the operator's key to; null when there were keys already.</summary>
    public string? NewOperatorKeyFile { get; private set; }

    ResponderApplication IRunningHost.Application => _application;

    bool IRunningHost.IsDemo => _engine.Demo is not null;

    /// <summary>Starts the responder and returns when it answers.</summary>
    /// <param name="options">What it runs with; the host disposes the issuers' keys.</param>
    /// <param name="clock">The clock of everything that is signed, checked and recorded.</param>
    /// <exception cref="RevocationStoreException">The data directory is in use, damaged or not writable.</exception>
    /// <exception cref="HostStartException">An address cannot be listened on, or the demo's files are damaged.</exception>
    public static Task<StandaloneHost> StartAsync(ResponderOptions options, TimeProvider clock) =>
        StartAsync(options, clock, static cache => new CachePublisher(cache));

    /// <summary>The same with another way to tell the cache of events: with a deaf one a test shows that its judge would see it.</summary>
    internal static async Task<StandaloneHost> StartAsync(ResponderOptions options, TimeProvider clock, Func<ResponseCache, IResponsePublisher> gateway)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        SqliteRevocationStore store = SqliteRevocationStore.Open(options.DataDirectory);
        StandaloneHost? host = null;
        try
        {
            DemoPki? demo = options.Issuers.Count > 0 ? null : DemoPki.Open(Path.Combine(options.DataDirectory, DemoPki.DirectoryName), clock.GetUtcNow());
            JournalKeyFile.LoadOrCreate(options.DataDirectory).Dispose(); // a key that cannot be used is told now, not at the first checkpoint
            IReadOnlyList<Issuer> issuers = demo is null ? options.Issuers : [demo.Issuer];
            PublishedJournal published = await PublishedJournal.OpenAsync(store, issuers.Select(issuer => issuer.Id), CancellationToken.None).ConfigureAwait(false);
            host = new StandaloneHost(new Engine(options, clock, store, published, demo, issuers, gateway), clock);
            await host.StartAsync().ConfigureAwait(false);
            return host;
        }
        catch
        {
            if (host is not null)
            {
                await host.DisposeAsync().ConfigureAwait(false);
            }

            await store.DisposeAsync().ConfigureAwait(false); // the second time for nothing
            throw;
        }
    }

    /// <summary>Submits events of one issuer, and returns when the applied ones are durable and no older answer is given any more.</summary>
    /// <exception cref="KeyNotFoundException">No issuer has this id.</exception>
    /// <exception cref="RevocationStoreException">The outcome is unknown: submit the events again with the same ids.</exception>
    public ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(string issuer, IReadOnlyList<RevocationEvent> events, CancellationToken cancellationToken = default) =>
        _authority.SubmitAsync(new IssuerId(issuer), events, Submitter.Local, cancellationToken);

    /// <summary>Accepts nothing more, lets what is under way end for a few seconds, and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _application.DisposeAsync().ConfigureAwait(false);
        await _engine.Responses.DisposeAsync().ConfigureAwait(false);
        await _engine.Store.DisposeAsync().ConfigureAwait(false);
        foreach (SigningCredential credential in _engine.Issuers.SelectMany(issuer => issuer.Credentials))
        {
            credential.Dispose();
        }
    }

    private async Task StartAsync()
    {
        ILogger log = _application.Services.GetRequiredService<ILogger<StandaloneHost>>();
        _application.LogWarnings(log);
        await _application.Services.GetRequiredService<ClockGuard>().NoteJournalsAsync(_engine.Store, _engine.Issuers.Select(issuer => issuer.Id), CancellationToken.None).ConfigureAwait(false);
        NewOperatorKeyFile = OperatorKey.Ensure(_application.Services.GetRequiredService<ApiKeyStore>(), _engine.Options.DataDirectory);
        await _application.StartAsync(_engine.Demo is { } demo ? () => demo.SeedAsync(_authority, _application.OcspUriForClients) : null).ConfigureAwait(false);
        LogAnswering(log, string.Join(", ", _engine.Issuers.Select(issuer => issuer.Id)), _engine.Options.DataDirectory, SqliteRevocationStore.LibraryDescription);
    }

    [LoggerMessage(91, LogLevel.Information, "Answering for {Issuers}; data in {Directory}; {Library}")]
    private static partial void LogAnswering(ILogger log, string issuers, string directory, string library);

    /// <summary>What makes this host: one store, and the sequencers beside it.</summary>
    private sealed class Engine(
        ResponderOptions options,
        TimeProvider clock,
        SqliteRevocationStore store,
        PublishedJournal published,
        DemoPki? demo,
        IReadOnlyList<Issuer> issuers,
        Func<ResponseCache, IResponsePublisher> gateway) : IHostEngine
    {
        public ResponderOptions Options => options;

        public SqliteRevocationStore Store => store;

        public SqliteResponseStore Responses { get; } = new(options.DataDirectory, clock);

        public DemoPki? Demo => demo;

        public string Name => "OcspCluster.Standalone";

        public IReadOnlyList<string> QuietCategories => [];

        public IReadOnlyList<Issuer> Issuers => issuers;

        public void Add(WebApplicationBuilder builder)
        {
            builder.Services.AddSingleton<IRevocationStore>(store); // the host disposes it, after the services
            builder.Services.AddSingleton<IDeliveryCursorStore>(store);
            builder.Services.AddSingleton<ICertificateStatusSource>(new RevocationStoreStatusSource(store));
            builder.Services.AddKeptResponses(Responses);
            builder.Services.AddCredentialWatch(options, issuers, isDemo: demo is not null);
            builder.Services.AddSingleton(published);
            builder.Services.AddSingleton(new JournalNotes(
                () => SqliteAuditStore.Open(options.DataDirectory),
                (issuer, cancellationToken) => StoreAudit.SignAsync(options.DataDirectory, issuer, clock, cancellationToken)));
            builder.Services.AddSingleton<IClusterOverview>(new LonelyNode(Environment.MachineName, DescribeStoreAsync));
            builder.Services.AddSingleton<IRevocationAuthority>(services =>
            {
                RefreshingPublisher gateways = new(
                    gateway(services.GetRequiredService<ResponseCache>()), services.GetRequiredService<RefreshSchedulers>(), services.GetRequiredService<ClockGuard>());
                FeedTally tally = services.GetRequiredService<FeedTally>();
                MeasuredPublisher publisher = new(new FollowedPublisher(gateways, published), tally);
                return new MeasuredAuthority(new LocalRevocationAuthority(issuers.Select(issuer => new IssuerSequencer(issuer.Id, store, publisher, clock))), tally);
            });
        }

        public void Map(WebApplication app)
        {
            // All endpoints are every host's.
        }

        public Task<IReadOnlyList<string>> FindNotReadyAsync(CancellationToken cancellationToken) => StoreHealth.FindNotReadyAsync(store, issuers[0].Id, cancellationToken);

        // A host that cannot record goes on to answer: to take it out of service would make it worse.
        public IReadOnlyList<string> FindWarnings() => store.WriteProblem is { } problem ? [$"events cannot be recorded: {problem}"] : [];

        private async Task<StoreView> DescribeStoreAsync(CancellationToken cancellationToken)
        {
            bool isReachable = (await FindNotReadyAsync(cancellationToken).ConfigureAwait(false)).Count == 0;
            return new StoreView(
                "sqlite", isReachable, IsDurable: true, TakesEvents: store.WriteProblem is null, store.WriteProblem ?? $"{SqliteRevocationStore.LibraryDescription}; every commit is flushed to disk");
        }
    }
}
