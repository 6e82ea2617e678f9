using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>The verb <c>issue</c>: tells a responder that certificates were issued, so that it answers for them.</summary>
internal sealed class IssueCommand : AdminCommand
{
    private readonly TimeProvider _clock;
    private readonly SerialSource _source = new();
    private readonly Option<string?> _notAfter = new("--not-after") { Description = "When the certificates of the serial numbers end (of --cert it is read)", HelpName = "TIME" };
    private readonly Option<string?> _at = new("--at") { Description = "When they were issued (default: now; of --cert its notBefore, if that is past)", HelpName = "TIME" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Tell what would become of each, and record nothing" };

    public IssueCommand(Screen screen, TimeProvider clock)
        : base(screen, "issue", "Tell a responder that certificates were issued; may be told again")
    {
        _clock = clock;
        Add(_source.Serials);
        Take([AdminSettings.Issuer, _source.Certificates, _source.List, _notAfter, _at, _dryRun, .. AdminSettings.All]);
        Validators.Add(result =>
        {
            if (_source.IsEmpty(result))
            {
                result.AddError("Which certificates? Name SERIALs, --cert FILE or --list FILE.");
            }
        });
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        DateTimeOffset? at = Instants.Read("--at", parsed.GetValue(_at));
        DateTimeOffset? notAfter = Instants.Read("--not-after", parsed.GetValue(_notAfter));
        string[] lines = [.. Events(parsed, at, notAfter)];
        using AdminApi api = AdminSettings.Open(parsed);
        string issuer = await api.FindIssuerAsync(parsed.GetValue(AdminSettings.Issuer), cancellationToken).ConfigureAwait(false);
        using LinesContent content = new(lines);
        bool isDryRun = parsed.GetValue(_dryRun);
        JsonElement summary = await ImportAnswer.ReadAsync(
            Screen, api.PostLinesAsync($"/v1/issuers/{issuer}/imports?form=ndjson&dryRun={(isDryRun ? "true" : "false")}", content, cancellationToken), IsJson(parsed), static _ => { }).ConfigureAwait(false);
        long applied = summary.GetProperty("applied").GetInt64();
        long duplicate = summary.GetProperty("duplicate").GetInt64();
        long problems = summary.GetProperty("problems").GetInt64();
        if (!IsJson(parsed))
        {
            Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{applied:N0} {(isDryRun ? "would be recorded" : "recorded")} as issued, {duplicate:N0} were before, {problems:N0} refused"));
        }

        return problems == 0 ? ExitCode.Good : ExitCode.NotDone;
    }

    // The id is the serial number's: who tells twice that a certificate was issued is told that it is known, not that he is wrong.
    private IEnumerable<string> Events(ParseResult parsed, DateTimeOffset? at, DateTimeOffset? notAfter)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        foreach (string file in parsed.GetValue(_source.Certificates) ?? [])
        {
            X509Certificate2 certificate = Files.ReadCertificates(file)[0];
            DateTimeOffset notBefore = certificate.NotBefore.ToUniversalTime();
            yield return JsonSerializer.Serialize(
                new { Id = IdOf(SerialNumber.FromCertificate(certificate)), Kind = "issued", At = Instants.Of(at ?? (notBefore < now ? notBefore : now)), Certificate = certificate.ExportCertificatePem() }, AdminApi.Json);
        }

        foreach (SerialNumber serial in _source.ReadNumbers(parsed))
        {
            yield return JsonSerializer.Serialize(
                new { Id = IdOf(serial), Serial = serial.ToString(), Kind = "issued", At = Instants.Of(at ?? now), NotAfter = notAfter is DateTimeOffset end ? Instants.Of(end) : null }, AdminApi.Json);
        }
    }

    private static string IdOf(SerialNumber serial) => $"ocspctl/issued/{serial}";
}
