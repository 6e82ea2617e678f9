using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>The verb <c>status</c>: what a responder knows of certificates, and what it was told of them.</summary>
internal sealed class StatusCommand : AdminCommand
{
    private readonly TimeProvider _clock;
    private readonly Argument<string[]> _serials = new("SERIAL") { Description = "A serial number: " + SerialText.Forms, Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string[]> _cert = new("--cert") { Description = "A file with a certificate, whose serial number it is; may be repeated", HelpName = "FILE" };

    public StatusCommand(Screen screen, TimeProvider clock)
        : base(screen, "status", "Tell what a responder knows of a certificate, and its history")
    {
        _clock = clock;
        Add(_serials);
        Take([AdminSettings.Issuer, _cert, .. AdminSettings.All]);
        Validators.Add(result =>
        {
            if (result.GetResult(_serials) is null or { Tokens.Count: 0 } && result.GetResult(_cert) is null)
            {
                result.AddError("Of which certificate? Name a SERIAL or --cert FILE.");
            }
        });
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        SerialNumber[] serials = [.. (parsed.GetValue(_serials) ?? []).Select(SerialText.Parse), .. SerialText.OfFiles(parsed.GetValue(_cert) ?? [])];
        using AdminApi api = AdminSettings.Open(parsed);
        string issuer = await api.FindIssuerAsync(parsed.GetValue(AdminSettings.Issuer), cancellationToken).ConfigureAwait(false);
        List<int> codes = [];
        foreach (SerialNumber serial in serials)
        {
            JsonElement? told = await api.FindAsync($"/v1/issuers/{issuer}/certificates/{serial}", cancellationToken).ConfigureAwait(false);
            if (told is null)
            {
                await api.GetAsync($"/v1/issuers/{issuer}", cancellationToken).ConfigureAwait(false); // else it is the issuer that is not there
            }

            if (codes.Count > 0 && !IsJson(parsed))
            {
                Screen.Output.WriteLine();
            }

            codes.Add(Print(parsed, issuer, serial, told));
        }

        return ExitCode.OfAll(codes);
    }

    private int Print(ParseResult parsed, string issuer, SerialNumber serial, JsonElement? told)
    {
        CertificateView? certificate = told?.Deserialize<CertificateView>(AdminApi.Json);
        if (IsJson(parsed))
        {
            Screen.Output.WriteLine(told is JsonElement json ? json.GetRawText() : JsonSerializer.Serialize(new { Serial = serial.ToString(), Issuer = issuer, Status = (string?)null }, AdminApi.Json));
        }
        else if (certificate is null)
        {
            Screen.Line((serial.ToString(), Styles.Strong), (": ", default), ("unknown", Styles.Warning), ($": issuer '{issuer}' has told nothing of it", default));
        }
        else
        {
            Print(issuer, certificate);
        }

        return certificate?.Status.Status switch
        {
            null => ExitCode.Unknown,
            "good" => ExitCode.Good,
            _ => ExitCode.Revoked,
        };
    }

    private void Print(string issuer, CertificateView certificate)
    {
        StatusView status = certificate.Status;
        DateTimeOffset now = _clock.GetUtcNow();
        string since = status.RevocationTime is DateTimeOffset at ? $" since {TimeText.Of(at)}{(status.Reason is null ? "" : ", " + status.Reason)}" : "";
        Screen.Line((certificate.Serial, Styles.Strong), (": ", default), (status.Status, Styles.OfWord(status.Status)), (since, default));
        Screen.Field("issuer", issuer);
        Screen.Field("decimal", certificate.SerialDecimal);
        if (status.NotAfter is DateTimeOffset notAfter)
        {
            Screen.Field(notAfter < now ? "ended" : "ends", TimeText.Relative(notAfter, now));
        }

        if (status.InvalidityDate is DateTimeOffset invalidity)
        {
            Screen.Field("compromised", $"since {TimeText.Of(invalidity)}, known or suspected");
        }

        if (status.RecordedAt is DateTimeOffset recorded)
        {
            Screen.Field("recorded", string.Create(CultureInfo.InvariantCulture, $"{TimeText.Relative(recorded, now)}, position {status.Position}"));
        }

        foreach (CachedResponseView response in certificate.Responses)
        {
            Screen.Field("in the cache", $"an answer for CertIDs by {response.Hash}, until {TimeText.Relative(response.NextUpdate, now)}");
        }

        PrintHistory(certificate.History);
    }

    // Newest first. Ids are long: a table would break them in pieces.
    private void PrintHistory(IReadOnlyList<HistoryView> history)
    {
        Screen.Output.WriteLine();
        foreach (HistoryView entry in history)
        {
            if (Screen.IsTerminal)
            {
                Screen.Line((string.Create(CultureInfo.InvariantCulture, $"  {entry.Position,-12} "), Styles.Faint), (TimeText.Of(entry.At) + "  ", default), (entry.What, Styles.OfKind(entry.Kind)));
                Screen.Field("", $"told by {entry.Submitter}, id {entry.Id}", Styles.Faint);
            }
            else
            {
                Screen.Output.WriteLine(string.Join('\t', new[] { entry.Position.ToString(CultureInfo.InvariantCulture), TimeText.Of(entry.At), entry.What, entry.Submitter, entry.Id }.Select(Printable.Of)));
            }
        }
    }
}
