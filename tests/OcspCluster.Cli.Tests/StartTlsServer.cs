using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OcspCluster.Cli.Tests;

/// <summary>A server on 127.0.0.1 that begins in the clear by a script: what it sends (<c>S:</c>), what it waits for (<c>C:</c>), then TLS, unless the script ends with <c>END</c>.</summary>
internal sealed class StartTlsServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;

    public StartTlsServer(X509Certificate2 certificate, X509Certificate2 issuer, params string[] script)
    {
        SslServerAuthenticationOptions tls = new() { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, [issuer], offline: true) };
        _listener.Start();
        _accepting = AcceptAsync(script, tls);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync(string[] script, SslServerAuthenticationOptions options)
    {
        try
        {
            while (true)
            {
                using TcpClient connection = await _listener.AcceptTcpClientAsync(_end.Token);
                try
                {
                    await ServeAsync(connection.GetStream(), script, options);
                }
                catch (Exception e) when (e is IOException or AuthenticationException)
                {
                    // The client had seen enough.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(NetworkStream stream, string[] script, SslServerAuthenticationOptions options)
    {
        foreach (string step in script)
        {
            if (step == "END")
            {
                return;
            }

            byte[] octets = Encoding.Latin1.GetBytes(step[2..]);
            if (step.StartsWith("S:", StringComparison.Ordinal))
            {
                await stream.WriteAsync(octets, _end.Token);
                continue;
            }

            byte[] received = new byte[octets.Length];
            await stream.ReadExactlyAsync(received, _end.Token);
            Assert.Equal(octets, received);
        }

        await using SslStream tls = new(stream);
        await tls.AuthenticateAsServerAsync(options, _end.Token);
        _ = await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, _end.Token); // until the client goes
    }
}
