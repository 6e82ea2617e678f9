using System.Security.Cryptography.X509Certificates;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Crash;

/// <summary>The host as a process of its own that is killed and started again on the same data; on other ports each time.</summary>
internal sealed class CrashingHost : IHistoryHost, IHistoryGateway
{
    private readonly ScratchDirectory _directory = new();
    private readonly string[] _arguments;
    private HostProcess? _process;

    /// <summary>Does not start it yet.</summary>
    /// <param name="data">The data directory; null for one that goes with the host.</param>
    public CrashingHost(string? data = null)
    {
        Data = data ?? _directory.File("data");
        _arguments =
        [
            "--data", Data,
            "--set", "Admin:RequestsPerSecond=1000000",
            "--set", "Logging:LogLevel:Default=Critical", // what goes wrong here is meant to
            .. ResponderSetup.Of(Issuers.Alpha).WriteTo(_directory.Path).SelectMany(pair => new[] { "--set", $"{pair.Key}={pair.Value}" }),
        ];
    }

    public string Name => "host";

    public Uri OcspUri { get; private set; } = new("http://127.0.0.1:1/"); // nobody, until it runs

    public Uri AdminUri { get; private set; } = new("http://127.0.0.1:1/");

    public IReadOnlyList<IHistoryGateway> Gateways => [this];

    public string Issuer => Issuers.Alpha.Id;

    public X509Certificate2 IssuerCertificate => Issuers.Alpha.Certificate;

    public X509Certificate2 ResponderCertificate => Issuers.Alpha.Responder.Certificate;

    public string AdminKey => File.ReadAllText(Path.Combine(Data, StandaloneHost.OperatorKeyFileName)).Trim();

    public string Data { get; }

    public HostProcess Process => _process ?? throw new InvalidOperationException("It does not run.");

    public IReadOnlyList<HistoryFault> PlanFaults(Random random, TimeSpan length) => [];

    /// <summary>Starts it.</summary>
    /// <param name="wrapper">A program that starts it; empty for none.</param>
    /// <returns>Whether it got ready; false when it was killed before that.</returns>
    public async Task<bool> StartAsync(params IReadOnlyList<string> wrapper)
    {
        const string Killed = "The host ended with 137"; // 128 + SIGKILL
        await EndAsync();
        try
        {
            _process = await HostProcess.StartUnderAsync(wrapper, _directory.Path, _arguments);
        }
        catch (InvalidOperationException e) when (wrapper.Count > 0 && e.Message.StartsWith(Killed, StringComparison.Ordinal))
        {
            return false;
        }

        (OcspUri, AdminUri) = (_process.OcspUri, _process.AdminUri);
        return true;
    }

    /// <summary>kill -9, if it still runs.</summary>
    public async Task EndAsync()
    {
        if (_process is { } process)
        {
            await process.DisposeAsync();
            _process = null;
        }
    }

    /// <summary>Another path in its directory.</summary>
    public string PathOf(string name) => _directory.File(name);

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _directory.Dispose();
    }
}
