using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests;

/// <summary><c>openssl s_server</c> on 127.0.0.1, which staples what a test says. Ended by its id.</summary>
internal sealed class OpenSslServer : IAsyncDisposable
{
    private readonly ScratchDirectory _directory = new();
    private Process? _process;

    public int Port { get; private set; }

    public static async Task<OpenSslServer> StartAsync(X509Certificate2 certificate, byte[]? staple)
    {
        Assert.SkipWhen(ExternalTool.Find("openssl") is null, "This machine has no openssl.");
        OpenSslServer server = new();
        ScratchDirectory directory = server._directory;
        File.WriteAllText(directory.File("cert.pem"), certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(directory.File("key.pem"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n");
        List<string> arguments = ["s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-naccept", "1", "-www"];
        if (staple is not null)
        {
            File.WriteAllBytes(directory.File("staple.der"), staple);
            arguments.AddRange(["-status_file", "staple.der"]);
        }

        server._process = Process.Start(new ProcessStartInfo("openssl", arguments)
        {
            WorkingDirectory = directory.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!;
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(60));
        while (await server._process.StandardOutput.ReadLineAsync(late.Token) is string line)
        {
            if (line.StartsWith("ACCEPT ", StringComparison.Ordinal))
            {
                server.Port = int.Parse(line[(line.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
                return server;
            }
        }

        string error = await server._process.StandardError.ReadToEndAsync(late.Token);
        await server.DisposeAsync();
        throw new InvalidOperationException("openssl s_server did not start: " + error);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            if (!_process.HasExited)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }

            _process.Dispose();
        }

        _directory.Dispose();
    }
}
