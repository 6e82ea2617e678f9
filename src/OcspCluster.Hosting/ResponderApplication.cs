using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;
using OcspCluster.Dashboard;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Crls;
using OcspCluster.Hosting.Sources;
using OcspCluster.Hosting.Telemetry;

namespace OcspCluster.Hosting;

/// <summary>What a host adds to the application: where statuses and journals live, and who gives a certificate its turn.</summary>
internal interface IHostEngine
{
    /// <summary>The program's name.</summary>
    string Name { get; }

    /// <summary>Whose log is for its developers below warnings: categories of libraries.</summary>
    IReadOnlyList<string> QuietCategories { get; }

    /// <summary>For whom is answered.</summary>
    IReadOnlyList<Issuer> Issuers { get; }

    /// <summary>
    /// Adds the <see cref="IRevocationStore"/>, the <see cref="ICertificateStatusSource"/>, the <see cref="IRevocationAuthority"/>, the <see cref="PublishedJournal"/>,
    /// the <see cref="JournalNotes"/> and the <see cref="CredentialWatch"/>. Called first: what it has run starts before the rest and ends after it.
    /// </summary>
    void Add(WebApplicationBuilder builder);

    /// <summary>Takes the services, and adds endpoints of its own to the admin listener.</summary>
    void Map(WebApplication app);

    /// <summary>What keeps the engine from answering, in words; empty when it is ready. Called for every question of a load balancer.</summary>
    Task<IReadOnlyList<string>> FindNotReadyAsync(CancellationToken cancellationToken);

    /// <summary>What operators should know of, though it answers.</summary>
    IReadOnlyList<string> FindWarnings();
}

/// <summary>The application that every host is: two listeners, the admin API, health, and the order in which they start and end.</summary>
/// <remarks>Thread-safe once started. Disposing it drains and closes everything but the engine.</remarks>
internal sealed partial class ResponderApplication : IAsyncDisposable
{
    /// <summary>How long requests under way may take to end when the host does.</summary>
    public static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(5);

    private readonly ResponderOptions _options;
    private readonly WebApplication _app;
    private readonly OcspListener _listener;
    private readonly HostHealth _health;

    /// <summary>Puts it together; <see cref="StartAsync"/> starts it.</summary>
    public ResponderApplication(ResponderOptions options, IHostEngine engine, TimeProvider clock)
    {
        _options = options;
        _health = new HostHealth(engine, clock);
        _app = Build(engine, clock);
        _listener = _app.Services.GetRequiredService<OcspListener>();
    }

    /// <summary>The services.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Where OCSP is answered, with the real ports.</summary>
    public IReadOnlyList<Uri> OcspUris => _listener.Addresses;

    /// <summary>Where the operator's endpoints are, with the real ports.</summary>
    public IReadOnlyList<Uri> AdminUris =>
        [.. _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address))];

    /// <summary>The URL that a client on this machine asks at.</summary>
    public Uri OcspUriForClients
    {
        get
        {
            IList<string> prefixes = _options.Ocsp.PathPrefixes;
            string root = ListenUrls.ForClients(OcspUris[0]);
            return new Uri(prefixes.Count == 0 || prefixes.Contains("/") ? root : root + prefixes[0]);
        }
    }

    /// <summary>Writes what deserves a look into the log.</summary>
    public void LogWarnings(ILogger log)
    {
        foreach (ConfigurationProblem warning in _options.Warnings)
        {
            LogConfigurationWarning(log, warning);
        }
    }

    /// <summary>Starts the engine, then the admin listener, so that a supervisor can see a start that takes long, then the OCSP listener.</summary>
    /// <param name="prepare">What is to be done when OCSP is answered and before the host says that it is ready; null for nothing.</param>
    /// <exception cref="HostStartException">An address cannot be listened on, or a key in an HSM is not its certificate's.</exception>
    public async Task StartAsync(Func<Task>? prepare = null)
    {
        try
        {
            await ListenAsync("Admin:Url", _options.AdminUrls, () => _app.StartAsync()).ConfigureAwait(false);
        }
        catch (OptionsValidationException e)
        {
            throw new HostStartException(string.Join(Environment.NewLine, e.Failures), e); // a key in an HSM that is not its certificate's
        }

        await ListenAsync("Ocsp:Url", [.. _options.Listener.Urls], () => _listener.StartAsync(CancellationToken.None)).ConfigureAwait(false);
        if (prepare is not null)
        {
            await prepare().ConfigureAwait(false);
        }

        _health.IsListening = true;
    }

    /// <summary>Ends it without a delay.</summary>
    public ValueTask DisposeAsync() => EndAsync(TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>Tells load balancers to stay away, accepts nothing more, lets what is under way end for at most <see cref="DrainTimeout"/>, and ends the engine's services.</summary>
    /// <param name="delay">How long it goes on answering after it has told load balancers to stay away.</param>
    /// <param name="forEngine">How much longer than the requests under way the engine's services may take.</param>
    public async ValueTask EndAsync(TimeSpan delay, TimeSpan forEngine)
    {
        bool wasListening = _health.IsListening;
        _health.IsListening = false;
        if (wasListening && delay > TimeSpan.Zero)
        {
            await Task.Delay(delay).ConfigureAwait(false);
        }

        using (CancellationTokenSource drained = new(DrainTimeout))
        {
            await _listener.StopAsync(drained.Token).ConfigureAwait(false);
            using CancellationTokenSource ended = new(DrainTimeout + forEngine); // what is left of the requests' time may be nothing
            await _app.StopAsync(forEngine > TimeSpan.Zero ? ended.Token : drained.Token).ConfigureAwait(false);
        }

        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private WebApplication Build(IHostEngine engine, TimeProvider clock)
    {
        // An empty builder: what ASP.NET Core would read by itself (ASPNETCORE_URLS and the like) would be a second configuration.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = engine.Name });
        AddLogging(builder, engine.QuietCategories);
        OtlpExport.AddTo(builder, _options.Telemetry, engine.Name);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.AddSingleton(new ClockGuard(clock, _options.Clock));
        engine.Add(builder);
        builder.Services.AddSingleton(Options.Create(_options.Ocsp));
        builder.Services.AddSingleton(Options.Create(_options.Listener));
        builder.Services.AddSingleton<OcspListener>(); // not as a hosted service: it starts last and stops first
        builder.Services.AddHostedService(provider => provider.GetRequiredService<CredentialWatch>());
        builder.Services.AddOcspResponder(responder =>
        {
            foreach (Issuer issuer in engine.Issuers)
            {
                responder.AddIssuer(issuer);
            }
        });
        builder.Services.TryAddSingleton(_options.Deliveries); // an engine of several hosts says which of them it is
        builder.Services.TryAddSingleton<ICrlRecords>(new CrlRecordDirectory(_options.DataDirectory)); // an engine of several hosts has one place for all
        builder.Services.AddRevocationSources(_options);
        builder.Services.AddAdminApi(_options.Admin.Api);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false).UseUrls([.. _options.AdminUrls]);
        if (_options.Admin.Certificate is { } certificate)
        {
            builder.Services.AddSingleton(provider => new AdminCertificate(
                certificate, _options.Admin.Chain, AdminReader.FindCertificateFiles(_options.Settings), () => AdminReader.ReadCertificate(_options.Settings), clock, provider.GetRequiredService<ILogger<AdminCertificate>>()));
            builder.Services.AddHostedService(provider => provider.GetRequiredService<AdminCertificate>());
            builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
                kestrel.UseAdminTls(kestrel.ApplicationServices.GetRequiredService<AdminCertificate>(), _options.Admin.Api.ClientCa, clock));
        }

        WebApplication app = builder.Build();
        _health.Map(
            app,
            app.Services.GetRequiredService<CredentialWatch>(),
            app.Services.GetRequiredService<ClockGuard>(),
            app.Services.GetRequiredService<Deliveries>(),
            app.Services.GetRequiredService<RevocationSources>(),
            app.Services.GetService<AdminCertificate>());
        app.MapAdminApi();
        app.MapDashboard();
        engine.Map(app);
        return app;
    }

    private void AddLogging(WebApplicationBuilder builder, IReadOnlyList<string> quiet)
    {
        builder.Logging.SetMinimumLevel(LogLevel.Information);
        foreach (string category in quiet.Prepend("Microsoft"))
        {
            builder.Logging.AddFilter(category, LogLevel.Warning);
        }

        builder.Logging
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None) // a failed start is told in words, by whoever started us
            .AddConfiguration(_options.Logging);
        if (_options.Telemetry.LogFormat == LogFormat.Json)
        {
            builder.Logging.AddJsonConsole(console =>
            {
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            });
        }
        else
        {
            builder.Logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            });
        }

        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace); // stdout is for whoever started us
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

    [LoggerMessage(90, LogLevel.Warning, "{Warning}")]
    private static partial void LogConfigurationWarning(ILogger log, ConfigurationProblem warning);

    /// <summary>Signals are for the process to handle; a host may be one of several in it.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
