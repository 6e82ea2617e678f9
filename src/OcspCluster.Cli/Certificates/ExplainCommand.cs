using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace OcspCluster.Cli;

/// <summary>The verb <c>explain</c>: what a relying party would hear of a certificate now, and why.</summary>
internal sealed class ExplainCommand : AdminCommand
{
    private readonly TimeProvider _clock;
    private readonly Argument<string?> _serial = new("SERIAL") { Description = "The serial number: " + SerialText.Forms, Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _cert = new("--cert") { Description = "A file with a certificate, whose serial number it is", HelpName = "FILE" };
    private readonly Option<string> _hash = new("--hash") { Description = "The hash algorithm of the CertID", HelpName = "NAME", DefaultValueFactory = _ => "sha1" };
    private readonly Option<bool> _nonce = new("--nonce") { Description = "As asked with a nonce" };

    public ExplainCommand(Screen screen, TimeProvider clock)
        : base(screen, "explain", "Tell what a relying party would hear of a certificate now, and why: event, signer, cache, node")
    {
        _clock = clock;
        _hash.CompletionSources.Add("sha1", "sha256", "sha384", "sha512");
        Add(_serial);
        Take([AdminSettings.Issuer, _cert, _hash, _nonce, .. AdminSettings.All]);
        Validators.Add(result =>
        {
            if (result.GetResult(_serial) is null or { Tokens.Count: 0 } == result.GetResult(_cert) is null)
            {
                result.AddError("Of which certificate? Name a SERIAL or --cert FILE.");
            }
        });
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string serial = (parsed.GetValue(_serial) is string text ? SerialText.Parse(text) : SerialText.OfFiles([parsed.GetValue(_cert)!]).Single()).ToString();
        using AdminApi api = AdminSettings.Open(parsed);
        string issuer = await api.FindIssuerAsync(parsed.GetValue(AdminSettings.Issuer), cancellationToken).ConfigureAwait(false);
        string query = $"?hash={Uri.EscapeDataString(parsed.GetValue(_hash)!)}&nonce={(parsed.GetValue(_nonce) ? "true" : "false")}";
        JsonElement told = await api.GetAsync($"/v1/issuers/{issuer}/certificates/{serial}/explain{query}", cancellationToken).ConfigureAwait(false);
        ExplanationView explanation = told.Deserialize<ExplanationView>(AdminApi.Json)!;
        if (IsJson(parsed))
        {
            Screen.Output.WriteLine(told.GetRawText());
        }
        else
        {
            Print(explanation);
        }

        return explanation.Answer switch
        {
            "good" => ExitCode.Good,
            "revoked" => ExitCode.Revoked,
            "unknown" or "unauthorized" => ExitCode.Unknown,
            _ => ExitCode.CouldNotTell,
        };
    }

    private void Print(ExplanationView explanation)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        Screen.Line((explanation.Serial, Styles.Strong), (" would be answered ", default), (explanation.Answer, Styles.OfWord(explanation.Answer)), ($" by issuer '{explanation.Issuer}'", default));
        Screen.Field("from", explanation.Source switch
        {
            "cache" => $"the cache of {explanation.Node}",
            "kept" => $"the store of signed answers, by {explanation.Node}",
            "signed" => $"{explanation.Node}, which would sign it now",
            "actor" => $"the certificate's actor in the cluster, asked by {explanation.Node}",
            "refused" => $"{explanation.Node}, unsigned, by the issuer's policy",
            "failed" => $"{explanation.Node}, unsigned, because something is out of order",
            string other => $"{explanation.Node} ({other})",
        });
        foreach (string because in explanation.Because)
        {
            Screen.Field("because", because);
        }

        if (explanation.Event is HistoryView happened)
        {
            Screen.Field("event", string.Create(CultureInfo.InvariantCulture, $"position {happened.Position}: {happened.What} at {TimeText.Of(happened.At)}, told by {happened.Submitter}, id {happened.Id}"));
        }

        if (explanation.Signer is SignerView signer)
        {
            Screen.Field("signed by", $"{signer.Subject}, key {signer.KeyId}, until {TimeText.Relative(signer.NotAfter, now)}");
        }

        if (explanation.Cached is CachedAnswerView cached)
        {
            Screen.Field("at hand", string.Create(
                CultureInfo.InvariantCulture,
                $"{cached.Bytes.Length} octets of position {cached.Position}, {TimeText.Of(cached.ThisUpdate)} to {TimeText.Relative(cached.NextUpdate, now)}, renewed from {TimeText.Of(cached.RenewedFrom)}"));
        }

        if (explanation.Lease is LeaseView lease)
        {
            Screen.Field("lease", lease.IsHeld ? string.Create(CultureInfo.InvariantCulture, $"held, {lease.SecondsLeft:0.0} s left") : "not held: 'good' is not given from the cache", lease.IsHeld ? null : Styles.Warning);
        }

        foreach (CacheElsewhereView other in explanation.Others ?? [])
        {
            Screen.Field("other node", other.Node + other.Holds switch
            {
                null => ": does not tell",
                true => string.Create(CultureInfo.InvariantCulture, $": has an answer of position {other.Position}"),
                false => ": has no answer in its cache",
            });
        }
    }
}
