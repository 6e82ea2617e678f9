using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>What is wrong beside the status, and what the user may do about it. Pure.</summary>
internal static class Findings
{
    /// <summary>What a server shows that its clients may stumble over.</summary>
    public static IEnumerable<string> NotesOn(ServerCertificates server, string host, RevocationVerdict verdict)
    {
        if (server.PolicyErrors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            yield return $"The certificate is not for '{host}'.";
        }

        if (server.PolicyErrors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            yield return "This machine does not trust the chain, or a certificate in it is not valid; revocation was checked all the same.";
        }

        if (verdict.Issuer is X509Certificate2 issuer && !server.Others.Contains(issuer))
        {
            yield return "The server does not send its issuer's certificate: clients that do not fetch it fail.";
        }

        if (server.LacksStaple)
        {
            yield return "The certificate demands a stapled response (must-staple), and the server sent none: browsers that obey it refuse the connection.";
        }
    }

    /// <summary>What an answer shows that will matter soon.</summary>
    public static IEnumerable<string> NotesOn(RevocationVerdict verdict, DateTimeOffset now)
    {
        DateTimeOffset end = verdict.Certificate.NotAfter.ToUniversalTime();
        if (end <= now)
        {
            yield return $"The certificate ended {TimeText.Relative(end, now)}.";
        }

        if (verdict.Evidence is { Source: RevocationSource.Crl } && CertificateAddresses.Read(verdict.Certificate).Responders.Count > 0)
        {
            yield return "The certificate names a responder, which gave no usable answer; a CRL did.";
        }
    }

    /// <summary>How to get further from where a check ended.</summary>
    public static IEnumerable<string> AdviceOn(RevocationVerdict verdict, bool allowsPrivate) => verdict.Failure switch
    {
        RevocationFailure.AddressRefused when !allowsPrivate => ["If the address is one of your own network, say --allow-private."],
        RevocationFailure.AnswerRefused or RevocationFailure.AnswerForged => ["'ocspctl query --text' shows the answer itself."],
        RevocationFailure.IssuerNotFound => ["Name the issuer's certificate: --issuer FILE."],
        RevocationFailure.NotIssuedByIssuer => ["The file given with --issuer is of another CA, or of an older key of the same one."],
        RevocationFailure.TimedOut => ["Give it longer: --timeout SECONDS."],
        RevocationFailure.CertificateNotValid => ["Ask all the same: --expired."],
        RevocationFailure.NoSource => ["Name a responder: --url URL."],
        RevocationFailure.ResponderError when verdict.Attempts.Any(attempt => attempt.ResponderError == OcspResponseStatus.Unauthorized) =>
            ["'unauthorized' is how most responders say that they do not know the certificate or its issuer."],
        _ => [],
    };

    /// <summary>What the handshake said of a stapled response.</summary>
    public static string StapleOf(ServerCertificates server) =>
        !server.StapledResponse.IsEmpty ? $"yes, {server.StapledResponse.Length} octets"
        : server.Protocol is not (SslProtocols.Tls13 or SslProtocols.None) && server.CanSeeStaple ? (server.AskedForStaple ? "none" : "not asked for")
        : "cannot be seen in TLS 1.3";
}
