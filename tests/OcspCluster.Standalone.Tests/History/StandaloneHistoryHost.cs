using System.Security.Cryptography.X509Certificates;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.History;

/// <summary>The standalone host in this process, by the real clock. It is started again in the middle of a run.</summary>
internal sealed class StandaloneHistoryHost : IHistoryHost, IHistoryGateway
{
    private readonly ScratchDirectory _directory = new();
    private readonly Dictionary<string, string?> _keys;
    private readonly Func<ResponseCache, IResponsePublisher> _gateway;
    private StandaloneHost _host = null!; // started before anybody has it

    private StandaloneHistoryHost(ResponderSetup setup, Func<ResponseCache, IResponsePublisher> gateway)
    {
        _gateway = gateway;
        _keys = new(setup.WriteTo(_directory.Path).Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
        {
            ["Data"] = _directory.File("data"),
            ["Ocsp:Url"] = "http://127.0.0.1:0",
            ["Admin:Url"] = "http://127.0.0.1:0",
            ["Logging:LogLevel:Default"] = "Error",
        };
        Issuer = setup.Issuers[0].Id;
        IssuerCertificate = setup.Issuers[0].Certificate;
        ResponderCertificate = setup.Issuers[0].Responder.Certificate;
    }

    public string Name => "standalone";

    public Uri OcspUri { get; private set; } = null!;

    public Uri AdminUri { get; private set; } = null!;

    public IReadOnlyList<IHistoryGateway> Gateways => [this];

    public string Issuer { get; }

    public X509Certificate2 IssuerCertificate { get; }

    public X509Certificate2 ResponderCertificate { get; }

    public string AdminKey => File.ReadAllText(Path.Combine(_keys["Data"]!, StandaloneHost.OperatorKeyFileName)).Trim();

    public static async Task<IHistoryHost> StartAsync(ResponderSetup setup, Func<ResponseCache, IResponsePublisher> gateway)
    {
        StandaloneHistoryHost host = new(setup, gateway);
        try
        {
            await host.StartAsync();
            return host;
        }
        catch
        {
            host._directory.Dispose();
            throw;
        }
    }

    public IReadOnlyList<HistoryFault> PlanFaults(Random random, TimeSpan length) =>
        [new HistoryFault("restart", length * (0.3 + (0.4 * random.NextDouble())), _ => RestartAsync())];

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _directory.Dispose();
    }

    private async Task RestartAsync()
    {
        await _host.DisposeAsync();
        await StartAsync();
    }

    private async Task StartAsync()
    {
        _host = await StandaloneHost.StartAsync(ResponderOptions.Read(Settings.FromKeys(_keys), TimeProvider.System.GetUtcNow()), TimeProvider.System, _gateway);
        (OcspUri, AdminUri) = (_host.OcspUris[0], _host.AdminUris[0]);
    }
}
