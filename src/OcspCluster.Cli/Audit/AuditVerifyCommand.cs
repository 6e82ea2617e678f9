using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Standalone.Audit;

namespace OcspCluster.Cli;

/// <summary>
/// The verb <c>audit verify</c>. Of a responder that runs: its signed checkpoint, that the journal only grew since the last time, and that entries are in it, by proofs and the public key alone.
/// Of a data directory: every entry and every status.
/// </summary>
internal sealed class AuditVerifyCommand : AdminCommand
{
    private const int MaxEntries = 1000;

    private readonly TimeProvider _clock;
    private readonly Option<string?> _publicKey = new("--journal-key") { Description = $"The journal's public key, as you kept it elsewhere (default: {JournalKeyFile.PublicFileName} of the data directory, if there)", HelpName = "FILE" };
    private readonly Option<string?> _state = new("--state") { Description = "Keep the checkpoint in this file, and prove the next time that the journal only grew", HelpName = "FILE" };
    private readonly Option<long[]> _position = new("--position") { Description = "Prove that this entry is in the journal, and show it; may be repeated", HelpName = "N" };
    private readonly Option<string[]> _serial = new("--serial") { Description = "Prove every entry about this certificate, and show them; may be repeated", HelpName = "SERIAL" };

    public AuditVerifyCommand(Screen screen, TimeProvider clock)
        : base(screen, "verify", "Verify a journal: through the API by proofs, or with --data every entry")
    {
        _clock = clock;
        Take([AdminSettings.Issuer, _publicKey, _state, _position, _serial, AdminSettings.Data, AdminSettings.Config, .. AdminSettings.All]);
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(AdminSettings.Data) is not null)
        {
            return await VerifyHereAsync(parsed, cancellationToken).ConfigureAwait(false);
        }

        using ECDsa key = await LocalData.GuardAsync(() => Task.FromResult(JournalKeyFile.LoadPublic(FindKey(parsed)))).ConfigureAwait(false);
        using AdminApi api = AdminSettings.Open(parsed);
        string issuer = await api.FindIssuerAsync(parsed.GetValue(AdminSettings.Issuer), cancellationToken).ConfigureAwait(false);
        JournalWitness witness = new(api, issuer, new CheckpointVerifier(key));
        string? state = parsed.GetValue(_state);
        try
        {
            (Checkpoint checkpoint, string note) = await witness.FetchAsync(cancellationToken).ConfigureAwait(false);
            string? before = state is not null && File.Exists(state) ? Encoding.UTF8.GetString(Files.ReadBytes(state)) : null;
            Checkpoint? earlier = before is null ? null : await witness.ProveGrowthAsync(before, checkpoint, cancellationToken).ConfigureAwait(false);
            List<JournalEntry> entries = [];
            foreach (long position in await PositionsAsync(parsed, api, issuer, cancellationToken).ConfigureAwait(false))
            {
                entries.Add(await witness.ProveEntryAsync(position, checkpoint, cancellationToken).ConfigureAwait(false));
            }

            if (state is not null)
            {
                Files.Write(state, Encoding.UTF8.GetBytes(note));
            }

            Print(parsed, checkpoint, earlier, entries);
            return ExitCode.Good;
        }
        catch (NotSoundException e)
        {
            Tell(parsed, issuer, e.Message);
            return ExitCode.NotDone;
        }
    }

    private static string FindKey(ParseResult parsed)
    {
        string own = Path.Combine("data", JournalKeyFile.PublicFileName);
        return parsed.GetValue(FindOption(parsed)) ?? (AdminSettings.ReadUri(parsed).IsLoopback && File.Exists(own) ? own
            : throw new CommandFailure($"Whose signature is to be verified? Name the journal's public key ({JournalKeyFile.PublicFileName} of its data directory): --journal-key FILE.", ExitCode.Usage));
    }

    private static Option<string?> FindOption(ParseResult parsed) => ((AuditVerifyCommand)parsed.CommandResult.Command)._publicKey;

    private async Task<IReadOnlyList<long>> PositionsAsync(ParseResult parsed, AdminApi api, string issuer, CancellationToken cancellationToken)
    {
        List<long> positions = [.. parsed.GetValue(_position) ?? []];
        foreach (string serial in parsed.GetValue(_serial) ?? [])
        {
            CertificateView certificate = await api.GetAsync<CertificateView>($"/v1/issuers/{issuer}/certificates/{SerialText.Parse(serial)}", cancellationToken).ConfigureAwait(false);
            positions.AddRange(certificate.History.Select(entry => entry.Position).Order());
        }

        return positions.Count <= MaxEntries ? positions : throw new CommandFailure($"{positions.Count} entries are too many to prove one by one: at most {MaxEntries}.", ExitCode.Usage);
    }

    private void Print(ParseResult parsed, Checkpoint checkpoint, Checkpoint? earlier, IReadOnlyList<JournalEntry> entries)
    {
        if (IsJson(parsed))
        {
            Screen.Output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    Issuer = checkpoint.Issuer.ToString(),
                    Status = "sound",
                    Size = checkpoint.Size,
                    Root = checkpoint.Root.ToString(),
                    SignedAt = checkpoint.Time,
                    GrewFrom = earlier?.Size,
                    Entries = entries.Select(entry => new { entry.Position, Serial = entry.Event.Serial.ToString(), Kind = entry.Event.Kind.ToString().ToLowerInvariant(), entry.Event.At, entry.ReceivedAt, entry.Event.Id }),
                },
                CheckJson.Options));
            return;
        }

        Screen.Line(($"Issuer '{checkpoint.Issuer}'", Styles.Strong), (": ", default), ("sound", Styles.OfWord("sound")));
        Screen.Field("signed for", string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Size:N0} entries at {TimeText.Relative(checkpoint.Time, _clock.GetUtcNow())}"));
        Screen.Field("root", checkpoint.Root.ToString());
        Screen.Field("grew", earlier is null
            ? "not asked: with --state FILE the next run proves that it only grew"
            : string.Create(CultureInfo.InvariantCulture, $"from {earlier.Size:N0} entries ({TimeText.Of(earlier.Time)}) by appending alone"));
        foreach (JournalEntry entry in entries)
        {
            Screen.Field("proved", string.Create(CultureInfo.InvariantCulture, $"position {entry.Position}: {entry.Event.Serial} {entry.Event.Kind.ToString().ToLowerInvariant()} at {TimeText.Of(entry.Event.At)}, received {TimeText.Of(entry.ReceivedAt)}, id {entry.Event.Id}"));
        }
    }

    private async Task<int> VerifyHereAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_position) is { Length: > 0 } || parsed.GetValue(_serial) is { Length: > 0 } || parsed.GetValue(_state) is not null)
        {
            throw new CommandFailure("With --data every entry is verified; --position, --serial and --state are for a responder that is asked.", ExitCode.Usage);
        }

        StoreAuditReport report = await new WorkProgress(Screen, _clock).RunAsync("audit", tell => LocalData.GuardAsync(() => StoreAudit.VerifyAsync(
            ResponderOptions.ReadDataDirectory(LocalData.ReadSettings(parsed)), parsed.GetValue(_publicKey), new Told(tell), cancellationToken))).ConfigureAwait(false);
        foreach (AuditReport issuer in report.Issuers)
        {
            if (!issuer.IsAccepted)
            {
                Tell(parsed, issuer.Issuer.ToString(), string.Create(CultureInfo.InvariantCulture, $"first of {issuer.Findings} findings: {issuer.FirstFinding}"));
            }
            else if (IsJson(parsed))
            {
                Screen.Output.WriteLine(JsonSerializer.Serialize(
                    new { Issuer = issuer.Issuer.ToString(), Status = "sound", Size = issuer.Entries, issuer.Certificates, Root = issuer.Root.ToString(), SignedFor = issuer.Checkpoint?.Size, SignedAt = issuer.Checkpoint?.Time }, CheckJson.Options));
            }
            else
            {
                Screen.Line(($"Issuer '{issuer.Issuer}'", Styles.Strong), (": ", default), ("sound", Styles.OfWord("sound")));
                Screen.Field("entries", string.Create(CultureInfo.InvariantCulture, $"{issuer.Entries:N0}, of {issuer.Certificates:N0} certificates, all verified"));
                Screen.Field("signed for", issuer.Checkpoint is { } signed ? string.Create(CultureInfo.InvariantCulture, $"{signed.Size:N0} entries at {TimeText.Of(signed.Time)}") : "never");
                Screen.Field("root", issuer.Root.ToString());
            }
        }

        foreach (string problem in report.Structure)
        {
            Tell(parsed, issuer: null, problem);
        }

        return report.IsAccepted ? ExitCode.Good : ExitCode.NotDone;
    }

    private void Tell(ParseResult parsed, string? issuer, string problem)
    {
        if (IsJson(parsed))
        {
            Screen.Output.WriteLine(JsonSerializer.Serialize(new { Issuer = issuer, Status = "notSound", Problem = problem }, CheckJson.Options));
            return;
        }

        Screen.Line((issuer is null ? "The store" : $"Issuer '{issuer}'", Styles.Strong), (": ", default), ("not sound", Styles.OfWord("critical")));
        Screen.Field("because", problem);
        Screen.Field("do", "Keep the data directory as it is, and the checkpoints that you have; docs/OPERATIONS.md, Audit, says how to go on.");
    }

    private sealed class Told(Action<double?, string> tell) : IProgress<AuditProgress>
    {
        public void Report(AuditProgress value)
        {
            if (value.Done % 10_000 == 0)
            {
                tell(null, string.Create(CultureInfo.InvariantCulture, $"{value.Issuer}: {value.Phase}, {value.Done:N0}"));
            }
        }
    }
}
