using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Client;

/// <summary>Plugs revocation checking into the certificate validation of <see cref="SslStream"/> and <see cref="HttpClient"/>.</summary>
/// <remarks>
/// <para>
/// The check comes after the platform's own validation, or after the callback that was there before, and only takes away: it never accepts what was refused.
/// A refusal is a <see cref="RevocationException"/> with the verdict; from an <see cref="HttpClient"/> it is the inner exception of the <see cref="HttpRequestException"/>.
/// </para>
/// <para>
/// .NET's validation callbacks are synchronous: a thread waits while responders are asked, at most for <see cref="NetworkLimits.TotalTimeout"/> a certificate. What
/// is in the store costs no waiting.
/// </para>
/// </remarks>
public static class RevocationChecking
{
    /// <summary>Checks the server's certificates for revocation.</summary>
    /// <param name="options">The options of a handshake.</param>
    /// <param name="client">Asks and judges.</param>
    /// <param name="policy">What a verdict means; <see cref="RevocationPolicy.HardFail"/> where null.</param>
    /// <param name="handshake">The stream under the <see cref="SslStream"/>, when stapled responses are to count and must-staple is to be enforced.</param>
    /// <param name="onVerdict">Is told every verdict, accepted or not.</param>
    /// <returns>The options.</returns>
    public static SslClientAuthenticationOptions CheckRevocation(
        this SslClientAuthenticationOptions options, OcspClient client, RevocationPolicy? policy = null, HandshakeStream? handshake = null, Action<ChainVerdict>? onVerdict = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(client);
        options.RemoteCertificateValidationCallback = Callback(client, policy, handshake, onVerdict, options.RemoteCertificateValidationCallback);
        return options;
    }

    /// <summary>Checks the certificates of https servers for revocation. Stapled responses cannot be seen here.</summary>
    /// <inheritdoc cref="CheckRevocation(SslClientAuthenticationOptions, OcspClient, RevocationPolicy?, HandshakeStream?, Action{ChainVerdict}?)"/>
    /// <param name="handler">The handler of an <see cref="HttpClient"/>.</param>
    /// <param name="client">Asks and judges.</param>
    /// <param name="policy">What a verdict means; <see cref="RevocationPolicy.HardFail"/> where null.</param>
    /// <param name="onVerdict">Is told every verdict, accepted or not.</param>
    /// <returns>The handler.</returns>
    public static SocketsHttpHandler CheckRevocation(this SocketsHttpHandler handler, OcspClient client, RevocationPolicy? policy = null, Action<ChainVerdict>? onVerdict = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        handler.SslOptions.CheckRevocation(client, policy, handshake: null, onVerdict);
        return handler;
    }

    /// <summary>Checks the certificates of https servers for revocation. Stapled responses cannot be seen here.</summary>
    /// <inheritdoc cref="CheckRevocation(SslClientAuthenticationOptions, OcspClient, RevocationPolicy?, HandshakeStream?, Action{ChainVerdict}?)"/>
    /// <param name="handler">The handler of an <see cref="HttpClient"/>.</param>
    /// <param name="client">Asks and judges.</param>
    /// <param name="policy">What a verdict means; <see cref="RevocationPolicy.HardFail"/> where null.</param>
    /// <param name="onVerdict">Is told every verdict, accepted or not.</param>
    /// <returns>The handler.</returns>
    public static HttpClientHandler CheckRevocation(this HttpClientHandler handler, OcspClient client, RevocationPolicy? policy = null, Action<ChainVerdict>? onVerdict = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(client);
        Func<HttpRequestMessage, X509Certificate2?, X509Chain?, SslPolicyErrors, bool>? before = handler.ServerCertificateCustomValidationCallback;
        handler.ServerCertificateCustomValidationCallback = (request, certificate, chain, errors) =>
            (before?.Invoke(request, certificate, chain, errors) ?? errors == SslPolicyErrors.None)
            && certificate is not null
            && IsAccepted(client, policy, handshake: null, onVerdict, certificate, chain);
        return handler;
    }

    /// <summary>The callback itself, for whatever takes one.</summary>
    /// <param name="client">Asks and judges.</param>
    /// <param name="policy">What a verdict means; <see cref="RevocationPolicy.HardFail"/> where null.</param>
    /// <param name="handshake">The stream under the <see cref="SslStream"/>, when stapled responses are to count and must-staple is to be enforced.</param>
    /// <param name="onVerdict">Is told every verdict, accepted or not.</param>
    /// <param name="before">Is asked first; where null, whatever the platform finds wrong is refused.</param>
    public static RemoteCertificateValidationCallback Callback(
        OcspClient client, RevocationPolicy? policy = null, HandshakeStream? handshake = null, Action<ChainVerdict>? onVerdict = null, RemoteCertificateValidationCallback? before = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        return (sender, certificate, chain, errors) =>
        {
            if (!(before?.Invoke(sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None) || certificate is null)
            {
                return false;
            }

            using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
            return IsAccepted(client, policy, handshake, onVerdict, leaf, chain);
        };
    }

    private static bool IsAccepted(OcspClient client, RevocationPolicy? policy, HandshakeStream? handshake, Action<ChainVerdict>? onVerdict, X509Certificate2 certificate, X509Chain? chain)
    {
        policy ??= RevocationPolicy.HardFail;
        ServerCertificates server = new()
        {
            Certificate = X509CertificateLoader.LoadCertificate(certificate.RawDataMemory.Span), // the verdict outlives the handshake; .NET's own copy does not
            Others = [.. ServerCertificates.Copy(chain, certificate)],
            StapledResponse = handshake?.StapledResponse ?? default,
            AskedForStaple = handshake?.AskedForStaple ?? false,
            CanSeeStaple = handshake?.CanSeeStaple ?? false,
        };

        // On a pool thread: whatever synchronization context the caller has, nothing here waits for it.
        ChainVerdict verdict = Task.Run(() => client.CheckChainAsync(server, policy.Scope)).GetAwaiter().GetResult();
        onVerdict?.Invoke(verdict);
        RevocationVerdict? refused = verdict.Certificates.FirstOrDefault(one => !policy.Accepts(one));
        return refused is null ? true : throw new RevocationException(refused);
    }
}
