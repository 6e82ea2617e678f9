using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client;

namespace OcspCluster.Cli;

/// <summary>Checks servers and certificate files, and reports. Thread-safe.</summary>
/// <param name="client">Asks and judges.</param>
/// <param name="scope">Whether the certificates above the leaf are checked, too.</param>
/// <param name="startTls">The protocol in which servers are asked for TLS; null where they speak it from the first octet on.</param>
internal sealed class CertificateCheck(OcspClient client, RevocationScope scope, StartTlsProtocol? startTls = null)
{
    private readonly TimeProvider _clock = client.Options.Verification.Clock;

    /// <summary>Checks a server.</summary>
    public async Task<CheckReport> CheckAsync(CheckTarget target, CancellationToken cancellationToken)
    {
        CheckReport report = new() { Target = target.ToString(), Now = _clock.GetUtcNow() };
        ServerCertificates server;
        try
        {
            server = await ShakeHandsAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or SocketException)
        {
            return report with { Failure = Describe(e, target), Advice = AdviceOn(e) };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return report with { Failure = $"No handshake within {client.Options.Limits.RequestTimeout.TotalSeconds:0.###} s.", Advice = ["Give it longer: --timeout SECONDS."] };
        }

        ChainVerdict verdict = await client.CheckChainAsync(server, scope, cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = _clock.GetUtcNow();
        return report with
        {
            Server = server,
            Verdicts = verdict.Certificates,
            Now = now,
            Notes = [.. Findings.NotesOn(server, target.Host, verdict.Certificates[0]), .. verdict.Certificates.SelectMany(one => Findings.NotesOn(one, now)).Distinct()],
            Advice = AdviceOn(verdict.Certificates),
        };
    }

    /// <summary>Checks the first certificate of a file; the others, and those of the issuer file, are candidates for its issuer.</summary>
    public async Task<CheckReport> CheckFileAsync(string path, IReadOnlyList<X509Certificate2> issuers, CancellationToken cancellationToken)
    {
        IReadOnlyList<X509Certificate2> file = Files.ReadCertificates(path);
        List<RevocationVerdict> verdicts = [];
        IReadOnlyList<X509Certificate2> candidates = [.. issuers, .. file.Skip(1)];
        IReadOnlyList<X509Certificate2> chain = scope == RevocationScope.Chain ? await client.FindChainAsync(file[0], candidates, cancellationToken).ConfigureAwait(false) : [file[0]];
        foreach (X509Certificate2 certificate in chain)
        {
            bool isRoot = certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
            if ((isRoot && verdicts.Count > 0) || verdicts is [.., { Status: RevocationStatus.Revoked }])
            {
                break; // nobody above a root could revoke it
            }

            verdicts.Add(await client.CheckAsync(certificate, [.. candidates, .. chain], default, cancellationToken).ConfigureAwait(false));
        }

        DateTimeOffset now = _clock.GetUtcNow();
        return new CheckReport { Target = path, Verdicts = verdicts, Now = now, Notes = [.. verdicts.SelectMany(one => Findings.NotesOn(one, now)).Distinct()], Advice = AdviceOn(verdicts) };
    }

    private string[] AdviceOn(Exception e) => e is SocketException ? ["Is the name right, and is that the port?"]
        : startTls is null ? ["Does the port speak TLS from the first octet on? Mail servers and the like are asked for it: --starttls smtp."]
        : ["Is that the port for it? One that speaks TLS from the first octet on needs no --starttls."];

    private string[] AdviceOn(IEnumerable<RevocationVerdict> verdicts) =>
        [.. verdicts.SelectMany(verdict => Findings.AdviceOn(verdict, client.Options.PrivateAddresses == PrivateAddressRule.Allow)).Distinct()];

    // TLS 1.2 first: there a stapled response can be seen. A server without it is asked again as the platform likes.
    private async Task<ServerCertificates> ShakeHandsAsync(CheckTarget target, CancellationToken cancellationToken)
    {
        try
        {
            return await ShakeHandsAsync(target, SslProtocols.Tls12, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return await ShakeHandsAsync(target, SslProtocols.None, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ServerCertificates> ShakeHandsAsync(CheckTarget target, SslProtocols protocols, CancellationToken cancellationToken)
    {
        using CancellationTokenSource late = new(client.Options.Limits.RequestTimeout, _clock);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target.Host, target.Port, both.Token).ConfigureAwait(false);
            NetworkStream stream = new(socket, ownsSocket: true);
            if (startTls is StartTlsProtocol protocol)
            {
                await StartTls.BeginAsync(stream, protocol, both.Token).ConfigureAwait(false);
            }

            return await ServerCertificates.ReadAsync(stream, target.Host, protocols, both.Token).ConfigureAwait(false);
        }
        finally
        {
            socket.Dispose();
        }
    }

    private static string Describe(Exception e, CheckTarget target) => e switch
    {
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => $"There is no host '{target.Host}'.",
        SocketException socket => $"{target} cannot be connected to: {socket.Message}.",
        { InnerException: Exception inner } => $"{target} does not shake hands: {e.Message.TrimEnd('.')}: {inner.Message}",
        _ => $"{target} does not shake hands: {e.Message}",
    };
}
