using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>
/// Somebody else's ASP.NET Core program with our responder in it: <c>AddOcspResponder</c>, <c>MapOcsp</c>, a status source of its own that is a dictionary,
/// and Kestrel as every program has it.
/// </summary>
internal sealed class EmbeddedResponderHost : IResponderHost
{
    private readonly ResponderSetup _setup;
    private readonly ConcurrentDictionary<(IssuerId, SerialNumber), CertificateStatus> _statuses = new();
    private WebApplication _program = null!;

    private EmbeddedResponderHost(ResponderSetup setup, TestClock clock)
    {
        _setup = setup;
        Clock = clock;
    }

    public Uri OcspUri => new(_program.Urls.First());

    public Uri AdminUri => OcspUri;

    public TestClock Clock { get; }

    public static async Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock)
    {
        EmbeddedResponderHost host = new(setup, clock);
        await host.StartAsync();
        return host;
    }

    public Task SubmitAsync(string issuer, IReadOnlyList<RevocationEvent> events)
    {
        foreach (RevocationEvent @event in events)
        {
            (IssuerId, SerialNumber) key = (new IssuerId(issuer), @event.Serial);
            StatusChange change = StatusRules.Apply(_statuses.GetValueOrDefault(key), @event, Clock.GetUtcNow());
            _statuses[key] = change.Status ?? _statuses[key];
        }

        return Task.CompletedTask;
    }

    public async Task RestartAsync()
    {
        await _program.DisposeAsync();
        await StartAsync();
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    private async Task StartAsync()
    {
        IConfiguration settings = new ConfigurationBuilder().AddInMemoryCollection(_setup.Settings!).Build();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddOcspResponder(ocsp =>
        {
            foreach (IssuerSetup issuer in _setup.Issuers)
            {
                ocsp.AddIssuer(ToIssuer(issuer));
            }

            ocsp.Configure(options => settings.GetSection("Ocsp").Bind(options));
            ocsp.UseStatus((issuer, serial) => _statuses.GetValueOrDefault((issuer, serial)));
        });

        _program = builder.Build();
        string[] prefixes = settings.GetSection("Ocsp:PathPrefixes").Get<string[]>() ?? ["/", "/ocsp"];
        foreach (string prefix in prefixes)
        {
            _program.MapOcsp(prefix);
        }

        await _program.StartAsync();
    }

    private static Issuer ToIssuer(IssuerSetup setup)
    {
        IConfiguration settings = new ConfigurationBuilder().AddInMemoryCollection(setup.Settings!).Build();
        IssuerPolicy policy = new();
        settings.Bind(policy);
        SigningCredential[] credentials = [.. new[] { setup.Responder }.Concat(setup.OtherResponders).Select(responder =>
            new SigningCredential(X509Certificate2.CreateFromPem(responder.Certificate.ExportCertificatePem(), responder.Key.ToPem())))];
        return new Issuer(new IssuerId(setup.Id), setup.Certificates, credentials, policy, setup.Requestors);
    }
}
