using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Admin;

/// <summary>A program of a test's own with the admin API in it: real Kestrel, real store, and nothing of the standalone host.</summary>
internal sealed class AdminHost : IAuthorityHost
{
    private readonly ScratchDirectory _directory = new();
    private readonly ResponderSetup _setup;
    private SqliteRevocationStore _store = null!;
    private WebApplication _program = null!;
    private LocalRevocationAuthority _authority = null!;

    private AdminHost(ResponderSetup setup, TestClock clock)
    {
        _setup = setup;
        Clock = clock;
        Keys = new ApiKeyStore(_directory.File(ApiKeyStore.FileName), clock);
    }

    public Uri OcspUri => _program.Services.GetRequiredService<OcspListener>().Addresses[0];

    public Uri AdminUri => new(_program.Urls.First());

    public TestClock Clock { get; }

    /// <summary>The keys, as another process has them.</summary>
    public ApiKeyStore Keys { get; }

    /// <summary>What a test adds to the program.</summary>
    public Action<WebApplicationBuilder>? Configure { get; init; }

    public static async Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => await StartAsync(setup, clock, null);

    public static async Task<AdminHost> StartAsync(ResponderSetup setup, TestClock clock, Action<WebApplicationBuilder>? configure)
    {
        AdminHost host = new(setup, clock) { Configure = configure };
        await host.StartAsync();
        return host;
    }

    public string CreateKey(params IReadOnlyList<string> scopes) => Create(scopes, null);

    public string CreateExpiringKey(TimeSpan lifetime) => Create(["read"], lifetime);

    public void RevokeKey(string key) => Assert.True(Keys.Revoke(key[..key.IndexOf('.', StringComparison.Ordinal)]));

    public async Task SubmitAsync(string issuer, IReadOnlyList<RevocationEvent> events) => await _authority.SubmitAsync(new IssuerId(issuer), events, CancellationToken.None);

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _directory.Dispose();
    }

    private string Create(IReadOnlyList<string> scopes, TimeSpan? lifetime) =>
        Keys.Create("test", [.. scopes.Select(text => ApiScope.TryParse(text, out ApiScope scope) ? scope : throw new ArgumentException(text))], lifetime).Bearer;

    private async Task StopAsync()
    {
        await _program.DisposeAsync();
        await _store.DisposeAsync();
    }

    private async Task StartAsync()
    {
        IConfiguration settings = new ConfigurationBuilder().AddInMemoryCollection(_setup.Settings!).Build();
        _store = SqliteRevocationStore.Open(_directory.File("data"));
        Issuer[] issuers = [.. _setup.Issuers.Select(ToIssuer)];
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddSingleton<IRevocationStore>(_store);
        builder.Services.AddOcspResponder(ocsp =>
        {
            foreach (Issuer issuer in issuers)
            {
                ocsp.AddIssuer(issuer);
            }

            ocsp.Configure(options => settings.GetSection("Ocsp").Bind(options));
            ocsp.UseStatusSource(new RevocationStoreStatusSource(_store));
        });
        builder.Services.AddOcspListener(listener => listener.Urls = ["http://127.0.0.1:0"]);
        builder.Services.AddSingleton<IRevocationAuthority>(services =>
        {
            CachePublisher publisher = new(services.GetRequiredService<ResponseCache>());
            return new LocalRevocationAuthority(issuers.Select(issuer => new IssuerSequencer(issuer.Id, _store, publisher, Clock)));
        });
        builder.Services.AddAdminApi(options =>
        {
            options.KeyFile = Keys.File;
            settings.GetSection("Admin").Bind(options);
        });
        Configure?.Invoke(builder);
        _program = builder.Build();
        _program.MapAdminApi();
        await _program.StartAsync();
        _authority = (LocalRevocationAuthority)_program.Services.GetRequiredService<IRevocationAuthority>();
    }

    private static Issuer ToIssuer(IssuerSetup setup)
    {
        X509Certificate2 responder = X509Certificate2.CreateFromPem(setup.Responder.Certificate.ExportCertificatePem(), setup.Responder.Key.ToPem());
        return new Issuer(new IssuerId(setup.Id), setup.Certificates, [new SigningCredential(responder)]);
    }
}
