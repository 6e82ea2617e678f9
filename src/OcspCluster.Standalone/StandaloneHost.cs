using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Audit;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Demo;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone;

/// <summary>The responder in one process: an SQLite store, a sequencer per issuer, the OCSP listener and the admin listener.</summary>
/// <remarks>Thread-safe once started. Disposing it drains and closes everything.</remarks>
public sealed class StandaloneHost : IAsyncDisposable
{
    /// <summary>The name, within the data directory, of the file that the first start writes the operator's key to.</summary>
    public const string OperatorKeyFileName = "admin.key";

    /// <summary>How long requests under way may take to end when the host does.</summary>
    public static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(5);

    private readonly SqliteRevocationStore _store;
    private readonly IReadOnlyList<Issuer> _issuers;
    private readonly PublishedJournal _published;
    private readonly WebApplication _app;
    private readonly OcspListener _listener;
    private readonly HostHealth _health;
    private readonly IRevocationAuthority _authority;
    private int _disposed;

    private StandaloneHost(ResponderOptions options, TimeProvider clock, SqliteRevocationStore store, PublishedJournal published, DemoPki? demo)
    {
        _store = store;
        _published = published;
        Demo = demo;
        _issuers = demo is null ? options.Issuers : [demo.Issuer];
        _health = new HostHealth(store, _issuers, clock);
        _app = Build(options, clock);
        _listener = _app.Services.GetRequiredService<OcspListener>();
        _authority = _app.Services.GetRequiredService<IRevocationAuthority>();
    }

    /// <summary>Where OCSP is answered, with the real ports.</summary>
    public IReadOnlyList<Uri> OcspUris => _listener.Addresses;

    /// <summary>Where the operator's endpoints are, with the real ports.</summary>
    public IReadOnlyList<Uri> AdminUris =>
        [.. _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address))];

    /// <summary>The file that the first start wrote the operator's key to; null when there were keys already.</summary>
    public string? NewOperatorKeyFile { get; private set; }

    /// <summary>The demo CA; null when issuers are configured.</summary>
    internal DemoPki? Demo { get; }

    /// <summary>The URL that the demo's certificates are asked about at.</summary>
    internal Uri DemoUri
    {
        get
        {
            IList<string> prefixes = _app.Services.GetRequiredService<IOptions<OcspGatewayOptions>>().Value.PathPrefixes;
            string root = ListenUrls.ForClients(OcspUris[0]);
            return new Uri(prefixes.Count == 0 || prefixes.Contains("/") ? root : root + prefixes[0]);
        }
    }

    /// <summary>Starts the responder and returns when it answers.</summary>
    /// <param name="options">What it runs with; the host disposes the issuers' keys.</param>
    /// <param name="clock">The clock of everything that is signed, checked and recorded.</param>
    /// <exception cref="RevocationStoreException">The data directory is in use, damaged or not writable.</exception>
    /// <exception cref="HostStartException">An address cannot be listened on, or the demo's files are damaged.</exception>
    public static async Task<StandaloneHost> StartAsync(ResponderOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        SqliteRevocationStore store = SqliteRevocationStore.Open(options.DataDirectory);
        StandaloneHost? host = null;
        try
        {
            DemoPki? demo = options.Issuers.Count > 0 ? null : DemoPki.Open(Path.Combine(options.DataDirectory, DemoPki.DirectoryName), clock.GetUtcNow());
            JournalKeyFile.LoadOrCreate(options.DataDirectory).Dispose(); // a key that cannot be used is told now, not at the first checkpoint
            IEnumerable<Issuer> issuers = demo is null ? options.Issuers : [demo.Issuer];
            PublishedJournal published = await PublishedJournal.OpenAsync(store, issuers.Select(issuer => issuer.Id), CancellationToken.None).ConfigureAwait(false);
            host = new StandaloneHost(options, clock, store, published, demo);
            await host.StartAsync(options).ConfigureAwait(false);
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

    /// <summary>Accepts nothing more, lets what is under way end for at most <see cref="DrainTimeout"/>, and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _health.IsListening = false;
        using (CancellationTokenSource drained = new(DrainTimeout))
        {
            await _listener.StopAsync(drained.Token).ConfigureAwait(false);
            await _app.StopAsync(drained.Token).ConfigureAwait(false);
        }

        await _app.DisposeAsync().ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        foreach (SigningCredential credential in _issuers.SelectMany(issuer => issuer.Credentials))
        {
            credential.Dispose();
        }
    }

    private async Task StartAsync(ResponderOptions options)
    {
        ILogger log = _app.Services.GetRequiredService<ILogger<StandaloneHost>>();
        foreach (ConfigurationProblem warning in options.Warnings)
        {
            log.LogWarning("{Warning}", warning.ToString());
        }

        await _app.Services.GetRequiredService<ClockGuard>().NoteJournalsAsync(_store, _issuers.Select(issuer => issuer.Id), CancellationToken.None).ConfigureAwait(false);
        string operatorKeyFile = Path.Combine(options.DataDirectory, OperatorKeyFileName);
        NewOperatorKeyFile = CreateOperatorKey(operatorKeyFile) ? operatorKeyFile : null;

        // Admin first, so that a supervisor can see a start that takes long.
        try
        {
            await ListenAsync("Admin:Url", options.AdminUrls, () => _app.StartAsync()).ConfigureAwait(false);
        }
        catch (OptionsValidationException e)
        {
            throw new HostStartException(string.Join(Environment.NewLine, e.Failures), e); // a key in an HSM that is not its certificate's
        }

        await ListenAsync("Ocsp:Url", [.. options.Listener.Urls], () => _listener.StartAsync(CancellationToken.None)).ConfigureAwait(false);
        if (Demo is not null)
        {
            await Demo.SeedAsync(_authority, DemoUri).ConfigureAwait(false);
        }

        _health.IsListening = true;
        log.LogInformation("Answering for {Issuers}; data in {Directory}; {Library}", string.Join(", ", _issuers.Select(issuer => issuer.Id)), options.DataDirectory, SqliteRevocationStore.LibraryDescription);
    }

    private bool CreateOperatorKey(string file)
    {
        try
        {
            return _app.Services.GetRequiredService<ApiKeyStore>().EnsureOperatorKey(file);
        }
        catch (ApiKeyStoreException e)
        {
            throw new HostStartException(e.Message, e);
        }
    }

    private WebApplication Build(ResponderOptions options, TimeProvider clock)
    {
        // An empty builder: what ASP.NET Core would read by itself (ASPNETCORE_URLS and the like) would be a second configuration.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "OcspCluster.Standalone" });
        builder.Logging
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None) // a failed start is told in words, by whoever started us
            .AddConfiguration(options.Logging)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            });
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace); // stdout is for whoever started us
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.AddSingleton(Options.Create(options.Ocsp));
        builder.Services.AddSingleton(Options.Create(options.Listener));
        builder.Services.AddSingleton<OcspListener>(); // not as a hosted service: it starts last and stops first
        builder.Services.AddSingleton<IRevocationStore>(_store); // the host disposes it, after the services
        builder.Services.AddSingleton(provider => new CredentialWatch(CreateReloads(options, provider), clock, provider.GetRequiredService<ILogger<CredentialWatch>>()));
        builder.Services.AddHostedService(provider => provider.GetRequiredService<CredentialWatch>());
        builder.Services.AddOcspResponder(responder =>
        {
            responder.UseStatusSource(new RevocationStoreStatusSource(_store));
            foreach (Issuer issuer in _issuers)
            {
                responder.AddIssuer(issuer);
            }
        });
        builder.Services.AddSingleton(_published);
        builder.Services.AddSingleton(new JournalNotes(
            () => SqliteAuditStore.Open(options.DataDirectory),
            (issuer, cancellationToken) => StoreAudit.SignAsync(options.DataDirectory, issuer, clock, cancellationToken)));
        builder.Services.AddSingleton<IRevocationAuthority>(services =>
        {
            RefreshingPublisher gateways = new(
                new CachePublisher(services.GetRequiredService<ResponseCache>()), services.GetRequiredService<RefreshSchedulers>(), services.GetRequiredService<ClockGuard>());
            FollowedPublisher publisher = new(gateways, _published);
            return new LocalRevocationAuthority(_issuers.Select(issuer => new IssuerSequencer(issuer.Id, _store, publisher, clock)));
        });
        builder.Services.AddAdminApi(options.Admin.Api);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false).UseUrls([.. options.AdminUrls]);
        if (options.Admin.Certificate is { } certificate)
        {
            builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.UseAdminTls(certificate, options.Admin.Chain, options.Admin.Api.ClientCa, clock));
        }

        WebApplication app = builder.Build();
        _health.Map(app, app.Services.GetRequiredService<CredentialWatch>(), app.Services.GetRequiredService<ClockGuard>());
        app.MapAdminApi();
        return app;
    }

    // The demo's files are its own, and are made anew where they are missing: nothing to read again.
    private List<CredentialReload> CreateReloads(ResponderOptions options, IServiceProvider provider)
    {
        TimeProvider clock = provider.GetRequiredService<TimeProvider>();
        ILogger log = provider.GetRequiredService<ILogger<CredentialReload>>();
        return [.. _issuers.Select(issuer => new CredentialReload(
            issuer,
            Demo is null ? IssuerReader.FindCredentialFiles(options.Settings, issuer.Id.ToString()) : [],
            () => IssuerReader.ReadCredentials(options.Settings, issuer.Id.ToString(), clock.GetUtcNow()),
            provider.GetRequiredService<ResponseFactory>(),
            clock,
            log))];
    }

    private static async Task ListenAsync(string key, IReadOnlyList<string> urls, Func<Task> start)
    {
        try
        {
            await start().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            string all = string.Join(", ", urls);
            throw new HostStartException(
                e is IOException { InnerException: AddressInUseException } || e.InnerException is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }
                    ? $"{key} = {all}: the address is in use by another program: stop that one, or listen on another port (0 takes a free one)."
                    : $"{key} = {all}: the address cannot be listened on: {e.Message}",
                e);
        }
    }

    /// <summary>Signals are for the process to handle; a host may be one of several in it.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
