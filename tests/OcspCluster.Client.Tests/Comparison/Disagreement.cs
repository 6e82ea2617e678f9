namespace OcspCluster.Client.Tests.Comparison;

/// <summary>A kind of response about which another program says something else than the client, and why. docs/CLIENT.md has the same for people.</summary>
/// <param name="Judges">The programs.</param>
/// <param name="Ours">How our verdict begins.</param>
/// <param name="Applies">Which responses it is about, and which verdicts of theirs.</param>
/// <param name="Why">The reason.</param>
internal sealed record Disagreement(string[] Judges, string Ours, Func<ComparedResponse, string, bool> Applies, string Why)
{
    private const string OpenSsl = "openssl";
    private const string GnuTls = "ocsptool";
    private const string Java = "java";
    private const string Python = "python";

    private static readonly Disagreement[] s_all =
    [
        // We refuse, they do not.
        new([OpenSsl, GnuTls, Java, Python], "refused Malformed", (response, _) => response.Family is "resigned" or "flipped" or "appended" or "duplicate-extension" or "nonce-bad" or "certid-length" or "version-2",
            "We read DER to the letter: no octets after the message, no extension twice, no other version than v1, hashes as long as their algorithm makes them, a nonce of 1 to 128 octets. They pass some of it over."),
        new([OpenSsl, GnuTls, Python], "refused UnknownCritical", (response, _) => response.Family is "critical" or "critical-single" or "resigned",
            "An unknown critical extension of the response is not looked at. Java and we refuse it, as RFC 6960 §4.1.2 has it for requests."),
        new([OpenSsl, GnuTls, Java, Python], "refused ProducedAtInFuture", (response, _) => response.Family is "produced-at" or "resigned",
            "producedAt is not judged. We take no answer that says it was signed tomorrow (RFC 6960 §2.4)."),
        new([OpenSsl, GnuTls, Java, Python], "refused ResponderNotValidAtProducedAt", (response, _) => response.Family is "delegate-not-at-produced-at",
            "The delegate's certificate is judged now only. We also ask whether it was valid when it signed (RFC 6960 §4.2.2.2)."),
        new([OpenSsl, GnuTls, Java, Python], "refused ResponderRevocationUnknown", (response, _) => response.Family is "delegate-without-nocheck",
            "A delegate without nocheck is believed unchecked. We ask its CRL, and refuse it when there is none (RFC 6960 §4.2.2.2.1); AcceptUncheckedResponder changes that."),
        new([OpenSsl, GnuTls, Java, Python], "refused SignatureAlgorithmTooWeak", (response, _) => response.Family is "sha1-signature",
            "A signature over SHA-1 is believed. We do only when AcceptSha1 says so (RFC 6960 §5.1.1)."),
        new([OpenSsl, GnuTls, Java, Python], "refused SignatureAlgorithmUnsupported", (response, _) => response.Family is "algorithm-null",
            "ECDSA with NULL parameters is believed; RFC 5758 §3.2 says that they are absent."),
        new([Java, Python], "refused ResponderUnknownCriticalExtension", (response, _) => response.Family is "delegate-critical",
            "An unknown critical extension of the delegate's certificate is not looked at (RFC 5280 §4.2)."),
        new([OpenSsl, GnuTls, Python], "refused TooOldWithoutNextUpdate", (response, _) => response.Family is "no-next-update-old",
            "Without nextUpdate an answer of any age is believed. We believe it for a day (MaximumAgeWithoutNextUpdate)."),
        new([Python], "refused SignatureWrong", (response, _) => response.Family is "algorithm",
            "The judge's few lines take the kind of signature from the key; python3-cryptography tells the algorithm's hash only."),
        new([OpenSsl, GnuTls, Java, Python], "refused Responder", (response, _) => response.Family is "flipped",
            "The certificate in the response was changed where only a strict reader looks: in its second signature algorithm, which is not signed."),
        new([GnuTls], "refused CertIdNotAnswered", (response, _) => response.Family.StartsWith("certid-", StringComparison.Ordinal) || response.Family is "resigned" or "flipped",
            "ocsptool --verify-response is not told which certificate is asked about: it verifies the signature and prints what is there."),
        new([GnuTls], "refused", (response, _) => response.Family is "this-update" or "next-update" or "next-before-this",
            "ocsptool --verify-response does not judge times (its --ask does)."),

        // They refuse, or say less, and we do not.
        new([OpenSsl, GnuTls, Java, Python], "", (response, their) => response.Family is "delegate-junk" && their == "refused",
            "A certificate beside the signer's that cannot be read spoils the whole response. We pass it over: the signer's is there."),
        new([GnuTls], "", (response, their) => their == "refused" && IsByTheCaItself(response),
            "GnuTLS does not find a CA that signs itself under the hash of its key, when its certificate is not in the response, as RFC 9919 §3.2.2 has it."),
        new([Java], "", (response, their) => their == "refused" && response.Hash != "sha1",
            "Java asks by SHA-1 only and finds no other CertID."),
        new([Java], "", (response, their) => their == "refused" && response.Name.Contains("no nextUpdate", StringComparison.Ordinal),
            "Without nextUpdate Java believes an answer for 15 minutes; we for a day."),
        new([Java], "revoked", (response, their) => their == "good" && response.Family is "revoked-in-future",
            "Java takes a revocation that lies in the future for none. Revoked is revoked: the CA has said so."),
        new([OpenSsl, Java, Python, GnuTls], "revoked", (response, their) => their is "good" or "unknown" && response.Family is "twice" or "twice-stale",
            "Of several answers for one certificate one counts, the first or the last. To us the strictest that is current counts."),
        new([OpenSsl, Java, Python, GnuTls], "", (response, _) => response.Family is "twice-stale",
            "The first answer for a certificate counts though it is stale and a current one follows. We pass it over."),
        new([GnuTls], "", (response, their) => their == "revoked" && response.Family is "several",
            "ocsptool prints every answer; its user reads the first status. We look for the certificate's own."),
        new([Python], "", (response, their) => their == "refused" && response.Family is "version",
            "python3-cryptography refuses version v1 written out, which DER leaves out and some write."),
        new([Python], "revoked", (response, their) => their == "refused" && response.Family is "resigned",
            "python3-cryptography refuses a revocation for a reason that is a negative number. Revoked is revoked, whatever for."),
    ];

    public static Disagreement? Find(string judge, ComparedResponse response, string ours, string theirs) => Array.Find(s_all, one =>
        one.Judges.Contains(judge)
        && ours.StartsWith(one.Ours, StringComparison.Ordinal)
        && one.Applies(response, theirs));

    private static bool IsByTheCaItself(ComparedResponse response) => response.Family is "resigned"
        || response.Name.EndsWith(" CA", StringComparison.Ordinal) || response.Name.Contains(" CA byKey", StringComparison.Ordinal);
}
