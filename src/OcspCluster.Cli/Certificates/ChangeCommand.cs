using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>The verbs <c>revoke</c>, <c>hold</c> and <c>release</c>: one thing done to one certificate or to many (<c>POST …/bulk</c>).</summary>
internal sealed class ChangeCommand : AdminCommand
{
    private readonly string _kind;
    private readonly TimeProvider _clock;
    private readonly SerialSource _source = new();
    private readonly Option<string?> _reason = new("--reason") { Description = "Why: a name or number of RFC 5280 §5.3.1, such as keyCompromise", HelpName = "NAME" };
    private readonly Option<string?> _at = new("--at") { Description = "When it happened, such as 2026-11-21T12:00:00Z (default: now)", HelpName = "TIME" };
    private readonly Option<string?> _invalidityDate = new("--invalidity-date") { Description = "Since when the key is known or suspected to be compromised", HelpName = "TIME" };
    private readonly Option<string?> _issuedFrom = new("--issued-from") { Description = "Instead of serial numbers: those that were issued at or after this time", HelpName = "TIME" };
    private readonly Option<string?> _issuedTo = new("--issued-to") { Description = "Instead of serial numbers: those that were issued before this time", HelpName = "TIME" };
    private readonly Option<string?> _id = new("--id") { Description = "The job: with the same id it goes on where it ended (default: a new one, which is printed)", HelpName = "ID" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Tell what would become of each, and record nothing" };

    private ChangeCommand(Screen screen, TimeProvider clock, string verb, string kind, string description)
        : base(screen, verb, description)
    {
        _kind = kind;
        _clock = clock;
        Add(_source.Serials);
        Take([AdminSettings.Issuer, _source.Certificates, _source.List]);
        if (kind == "revoked")
        {
            _reason.CompletionSources.Add([.. RevocationReasonText.Names]);
            _reason.Validators.Add(result =>
            {
                if (result.Tokens is [{ Value: string text }] && !IsReason(text))
                {
                    result.AddError($"--reason: '{text}' is none of {string.Join(", ", RevocationReasonText.Names)}.");
                }
            });
            Take([_reason]);
        }

        if (kind != "released")
        {
            Take([_invalidityDate]);
        }

        Take([_at, _issuedFrom, _issuedTo, _id, _dryRun, .. AdminSettings.All]);
        Validators.Add(result =>
        {
            bool byTime = result.GetResult(_issuedFrom) is not null || result.GetResult(_issuedTo) is not null;
            if (_source.IsEmpty(result) != byTime)
            {
                result.AddError("Which certificates? Name SERIALs, --cert FILE or --list FILE; or else --issued-from and --issued-to.");
            }
        });
    }

    public static IEnumerable<Command> All(Screen screen, TimeProvider clock) =>
    [
        new ChangeCommand(screen, clock, "revoke", "revoked", "Revoke certificates; no gateway answers 'good' for them any more when it returns"),
        new ChangeCommand(screen, clock, "hold", "held", "Put certificates on hold (certificateHold), from which they can be released"),
        new ChangeCommand(screen, clock, "release", "released", "Release certificates from hold: they are good again"),
    ];

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        bool isDryRun = parsed.GetValue(_dryRun);
        string job = parsed.GetValue(_id) ?? JobId.New(_clock);
        SerialNumber[] serials = [.. _source.Read(parsed)];
        using AdminApi api = AdminSettings.Open(parsed);
        string issuer = await api.FindIssuerAsync(parsed.GetValue(AdminSettings.Issuer), cancellationToken).ConfigureAwait(false);
        string path = $"/v1/issuers/{issuer}/bulk?{Query(parsed, job, isDryRun)}";
        using StringContent list = new(string.Join('\n', serials), Encoding.ASCII, new MediaTypeHeaderValue("text/plain"));
        JsonElement? summary = null;
        try
        {
            summary = await new WorkProgress(Screen, _clock).RunAsync(Name, tell => ReadAsync(parsed, api.PostLinesAsync(path, list, cancellationToken), serials.Length, tell), isShort: serials.Length is > 0 and < 1000).ConfigureAwait(false);
        }
        finally
        {
            if (summary is null && !isDryRun)
            {
                Screen.Complain($"It did not come to its end. What was recorded stays; the same with --id {job} goes on.");
            }
        }

        return summary is JsonElement done ? Print(parsed, serials, done, isDryRun) : ExitCode.CouldNotTell;
    }

    private async Task<JsonElement?> ReadAsync(ParseResult parsed, IAsyncEnumerable<JsonElement> lines, int count, Action<double?, string> tell)
    {
        await foreach (JsonElement line in lines.ConfigureAwait(false))
        {
            JsonProperty what = line.EnumerateObject().First();
            if (IsJson(parsed) && what.Name != "progress")
            {
                Screen.Output.WriteLine(line.GetRawText());
            }

            switch (what.Name)
            {
                case "progress":
                    long done = what.Value.GetProperty("serials").GetInt64();
                    tell(count > 0 ? (double)done / count : null, string.Create(CultureInfo.InvariantCulture, $"{done:N0} certificates"));
                    break;
                case "refused" when !IsJson(parsed):
                    string serial = what.Value.TryGetProperty("serial", out JsonElement named) ? named.GetString()! : string.Create(CultureInfo.InvariantCulture, $"line {what.Value.GetProperty("line").GetInt64()}");
                    Screen.Complain($"{serial}: refused ({what.Value.GetProperty("reason").GetString()}): {what.Value.GetProperty("detail").GetString()}");
                    break;
                case "summary":
                    return what.Value;
                case "error":
                    throw new CommandFailure(what.Value.GetProperty("detail").GetString()!) { IsTransient = true };
            }
        }

        return null;
    }

    private int Print(ParseResult parsed, SerialNumber[] serials, JsonElement summary, bool isDryRun)
    {
        long applied = Count("applied");
        long duplicate = Count("duplicate");
        long refused = Count("refused") + Count("malformed");
        if (!IsJson(parsed))
        {
            string position = string.Create(CultureInfo.InvariantCulture, $"position {Count("position")}");
            string would = isDryRun ? "would be " : "";
            if (serials.Length == 1 && applied + duplicate == 1)
            {
                Screen.Line((serials[0].ToString(), Styles.Strong), (": ", default), (would + _kind, Styles.Strong), (duplicate == 1 ? $" (it was, by this job: {position})" : isDryRun ? "" : $", {position}", default));
            }
            else if (serials.Length != 1)
            {
                Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{applied:N0} {would}{_kind}, {duplicate:N0} were before by this job, {refused:N0} refused{(isDryRun ? "" : $"; {position}, job {summary.GetProperty("id").GetString()}")}"));
            }

            if (Count("unissued") is > 0 and var unissued)
            {
                Screen.Field("note", string.Create(CultureInfo.InvariantCulture, $"Of {unissued:N0} of them nothing was known before: are the serial numbers right?"), Styles.Warning);
            }
        }

        return refused == 0 ? ExitCode.Good : ExitCode.NotDone;

        long Count(string name) => summary.GetProperty(name).GetInt64();
    }

    private string Query(ParseResult parsed, string job, bool isDryRun)
    {
        (string Name, string? Value)[] parameters =
        [
            ("id", job),
            ("kind", _kind),
            ("reason", _kind == "revoked" ? parsed.GetValue(_reason) : null),
            ("at", Time("--at", _at)),
            ("invalidityDate", _kind == "released" ? null : Time("--invalidity-date", _invalidityDate)),
            ("issuedFrom", Time("--issued-from", _issuedFrom)),
            ("issuedTo", Time("--issued-to", _issuedTo)),
            ("dryRun", isDryRun ? "true" : null),
        ];
        return string.Join('&', parameters.Where(parameter => parameter.Value is not null).Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}"));

        string? Time(string name, Option<string?> option) => Instants.Read(name, parsed.GetValue(option)) is DateTimeOffset time ? Instants.Of(time) : null;
    }

    private static bool IsReason(string text) =>
        RevocationReasonText.TryParseName(text, out _) || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && Enum.IsDefined((RevocationReason)number));
}

/// <summary>Names of jobs.</summary>
internal static class JobId
{
    /// <summary>One that nobody has: the time, for people, and some chance.</summary>
    public static string New(TimeProvider clock) =>
        string.Create(CultureInfo.InvariantCulture, $"ocspctl-{clock.GetUtcNow():yyyyMMddHHmmss}-{RandomNumberGenerator.GetHexString(4, lowercase: true)}");
}
