using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OcspCluster.Client;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>The options of the verb <c>query</c>.</summary>
internal sealed class QueryOptions
{
    public Option<string[]> Issuer { get; } = new("--issuer") { Description = "A file with the CA's certificate; repeated for several CAs, each before the serial numbers that are its own", HelpName = "FILE" };
    public Option<string[]> Cert { get; } = new("--cert") { Description = "A file with a certificate to ask about; may be repeated", HelpName = "FILE" };
    public Option<string[]> Serial { get; } = new("--serial") { Description = "A serial number to ask about, in hexadecimal, of the CA named last before it; may be repeated", HelpName = "HEX" };
    public Option<string> Hash { get; } = new Option<string>("--hash") { Description = "The hash algorithm of the CertIDs", HelpName = "NAME", DefaultValueFactory = _ => "sha1" }.AcceptOnlyFromAmong("sha1", "sha256", "sha384", "sha512");
    public Option<NonceUse> Nonce { get; } = new("--nonce") { Description = "Whether a nonce is sent, and must come back", HelpName = "none|sent|required", DefaultValueFactory = _ => NonceUse.None };
    public Option<string?> NonceValue { get; } = new("--nonce-value") { Description = "The nonce to send, 1 to 128 octets in hexadecimal", HelpName = "HEX" };

    public Option<string?> Signer { get; } = new("--signer") { Description = "Sign the request: the requestor's certificate, PEM", HelpName = "FILE" };
    public Option<string?> SignKey { get; } = new("--sign-key") { Description = "Its private key, PEM (default: in the file of the certificate)", HelpName = "FILE" };
    public Option<string?> SignPassword { get; } = new("--sign-password-file") { Description = "A file with the password of the key", HelpName = "FILE" };
    public Option<string[]> SignOther { get; } = new("--sign-other") { Description = "Certificates to send along with the signature; may be repeated", HelpName = "FILE" };
    public Option<bool> NoCerts { get; } = new("--no-certs") { Description = "Send no certificates along with the signature" };

    public Option<string?> Url { get; } = new("--url") { Description = "The responder (default: the one that the first certificate names)", HelpName = "URL" };
    public Option<string?> Host { get; } = new("--host") { Description = "The responder, instead of --url", HelpName = "HOST[:PORT]" };
    public Option<string> Path { get; } = new("--path") { Description = "The path at --host", HelpName = "PATH", DefaultValueFactory = _ => "/" };
    public Option<OcspMethod> Method { get; } = new("--method") { Description = "GET or POST; automatic: GET when the URL has 255 octets or fewer", HelpName = "automatic|get|post", DefaultValueFactory = _ => OcspMethod.Automatic };
    public Option<bool> AllowPrivate { get; } = new("--allow-private") { Description = "Follow addresses in certificates into private networks and to this machine" };

    public Option<string?> ReqIn { get; } = new("--reqin") { Description = "Read the request from a file (DER) instead of making one", HelpName = "FILE" };
    public Option<string?> ReqOut { get; } = new("--reqout") { Description = "Save the request", HelpName = "FILE" };
    public Option<string?> RespIn { get; } = new("--respin") { Description = "Read the response from a file (DER) instead of asking: nothing goes over the network", HelpName = "FILE" };
    public Option<string?> RespOut { get; } = new("--respout") { Description = "Save the response", HelpName = "FILE" };
    public Option<bool> Text { get; } = new("--text") { Description = "Print request and response in readable form" };
    public Option<bool> ReqText { get; } = new("--req-text") { Description = "Print the request in readable form" };
    public Option<bool> RespText { get; } = new("--resp-text") { Description = "Print the response in readable form" };

    public Option<bool> NoVerify { get; } = new("--no-verify") { Description = "Believe the response: the status is what it says, and proves nothing" };
    public Option<string[]> CaFile { get; } = new("--ca-file") { Description = "Roots to which the CA's own certificate must lead (default: the CA that you name is trusted); may be repeated", HelpName = "FILE" };
    public Option<string[]> TrustedResponder { get; } = new("--trusted-responder") { Description = "Certificates of responders that may speak for any CA (RFC 6960 §4.2.2.2); may be repeated", HelpName = "FILE" };
    public Option<double> Tolerance { get; } = ClientSettings.AtLeast(new Option<double>("--tolerance", "--validity-period") { Description = "How far clocks may differ", HelpName = "SECONDS", DefaultValueFactory = _ => 300 }, 0, 1e9);
    public Option<double?> MaxAge { get; } = new("--max-age", "--status-age") { Description = "How long ago thisUpdate may be (default: until nextUpdate; a day where there is none)", HelpName = "SECONDS" };
    public Option<bool> RequireNextUpdate { get; } = new("--require-next-update") { Description = "Refuse an answer without nextUpdate (RFC 9919)" };
    public Option<bool> AcceptSha1 { get; } = new("--accept-sha1") { Description = "Accept signatures with SHA-1" };
    public Option<bool> AcceptUnchecked { get; } = new("--accept-unchecked-responder") { Description = "Accept a delegated responder without nocheck whose own revocation nobody looked up" };
    public Option<string?> At { get; } = new("--at") { Description = "Judge as of this time, such as 2026-11-21T12:00:00Z (default: now)", HelpName = "TIME" };

    /// <summary>All of them, in the order of the reference.</summary>
    public IEnumerable<Option> All =>
    [
        Issuer, Cert, Serial, Hash, Nonce, NonceValue, Signer, SignKey, SignPassword, SignOther, NoCerts, Url, Host, Path, Method, ClientSettings.Header, .. ClientSettings.Network, AllowPrivate,
        ReqIn, ReqOut, RespIn, RespOut, Text, ReqText, RespText, NoVerify, CaFile, TrustedResponder, Tolerance, MaxAge, RequireNextUpdate, AcceptSha1, AcceptUnchecked, At, ClientSettings.Json,
    ];

    /// <summary>What contradicts itself.</summary>
    public void Validate(CommandResult result)
    {
        bool Has(Option option) => result.GetResult(option) is { Implicit: false };

        if (!Has(Cert) && !Has(Serial) && !Has(ReqIn) && !Has(RespIn))
        {
            result.AddError("What is to be asked or shown? Name --cert FILE, --issuer FILE and --serial HEX, --reqin FILE or --respin FILE.");
        }

        foreach ((Option one, Option other) in ((Option, Option)[])[(Url, Host), (ReqIn, Cert), (ReqIn, Serial), (ReqIn, Signer), (RespIn, Url), (RespIn, Host), (ClientSettings.Json, Text), (ClientSettings.Json, ReqText), (ClientSettings.Json, RespText)])
        {
            if (Has(one) && Has(other))
            {
                result.AddError($"{one.Name} and {other.Name} do not go together.");
            }
        }

        if (Has(ClientSettings.Header) && !Has(Url) && !Has(Host))
        {
            result.AddError("--header goes to a responder that you name: --url URL or --host HOST.");
        }

        if (Has(Serial) && !Has(Issuer))
        {
            result.AddError("--serial needs the CA before it: --issuer FILE.");
        }
    }

    /// <summary>The rules that answers are judged by.</summary>
    public OcspVerificationOptions ReadRules(ParseResult parsed, TimeProvider clock) => new()
    {
        Clock = parsed.GetValue(At) is string at ? new FixedClock(ReadTime(at)) : clock,
        Tolerance = TimeSpan.FromSeconds(parsed.GetValue(Tolerance)),
        MaximumAge = parsed.GetValue(MaxAge) is double seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 1e9)) : null,
        RequireNextUpdate = parsed.GetValue(RequireNextUpdate),
        AcceptUncheckedResponder = parsed.GetValue(AcceptUnchecked),
        TrustedResponders = [.. (parsed.GetValue(TrustedResponder) ?? []).SelectMany(Files.ReadCertificates)],
        SignatureVerifier = parsed.GetValue(AcceptSha1) ? new OcspSignatureVerifier { AcceptSha1 = true } : OcspSignatureVerifier.Default,
    };

    /// <summary>The responder that the command line names; null when it names none.</summary>
    public Uri? ReadResponder(ParseResult parsed) => parsed.GetValue(Url) is string url ? ClientSettings.ReadUrl("--url", url)
        : parsed.GetValue(Host) is string host ? ClientSettings.ReadUrl("--host", $"http://{host}/{parsed.GetValue(Path)!.TrimStart('/')}")
        : null;

    /// <summary>The hash of CertIDs.</summary>
    public CertIdHash ReadHash(ParseResult parsed) => parsed.GetValue(Hash) switch
    {
        "sha256" => CertIdHash.Sha256,
        "sha384" => CertIdHash.Sha384,
        "sha512" => CertIdHash.Sha512,
        _ => CertIdHash.Sha1,
    };

    /// <summary>The nonce to send; null for none.</summary>
    public OcspNonce? ReadNonce(ParseResult parsed)
    {
        if (parsed.GetValue(NonceValue) is not string hex)
        {
            return parsed.GetValue(Nonce) == NonceUse.None ? null : OcspNonce.Create();
        }

        try
        {
            return OcspNonce.Create(Convert.FromHexString(hex));
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new CommandFailure($"--nonce-value: '{hex}' is not 1 to 128 octets in hexadecimal.", ExitCode.Usage);
        }
    }

    private static DateTimeOffset ReadTime(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? time
            : throw new CommandFailure($"--at: '{text}' is not a time such as 2026-11-21T12:00:00Z.", ExitCode.Usage);
}
