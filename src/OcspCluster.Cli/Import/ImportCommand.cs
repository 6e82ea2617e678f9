using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Standalone.Import;

namespace OcspCluster.Cli;

/// <summary>The verb <c>import</c>: a file into a responder that runs, or into the data directory of one that does not.</summary>
internal sealed class ImportCommand : AdminCommand
{
    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20)];

    private readonly TimeProvider _clock;
    private readonly Argument<string> _file = new("FILE") { Description = "An index.txt of 'openssl ca', a CRL (PEM or DER), a CSV table, or NDJSON events" };
    private readonly Option<string?> _form = new("--form") { Description = "What the file is: index, crl, csv or ndjson (default: by its content)", HelpName = "NAME" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Tell what would be recorded, and record nothing" };

    public ImportCommand(Screen screen, TimeProvider clock)
        : base(screen, "import", "Record what a file says was issued and revoked; goes on by itself after an interruption, and may be run again at any time")
    {
        _clock = clock;
        _form.AcceptOnlyFromAmong("index", "crl", "csv", "ndjson");
        Add(_file);
        Take([AdminSettings.Issuer, _form, _dryRun, AdminSettings.Data, AdminSettings.Config, .. AdminSettings.All]);
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string file = parsed.GetRequiredValue(_file);
        await using FileStream stream = Open(file);
        string form = parsed.GetValue(_form) ?? ImportForms.Recognize(stream) ?? throw new CommandFailure($"What is '{file}'? It begins like no index, CRL, CSV or NDJSON: say --form NAME.", ExitCode.Usage);
        WorkProgress progress = new(Screen, _clock);
        ImportTally tally = parsed.GetValue(AdminSettings.Data) is not null
            ? await progress.RunAsync(file, tell => ImportHereAsync(parsed, form, stream, tell, cancellationToken)).ConfigureAwait(false)
            : await progress.RunAsync(file, tell => ImportThereAsync(parsed, form, stream, tell, cancellationToken)).ConfigureAwait(false);
        if (!IsJson(parsed))
        {
            string would = parsed.GetValue(_dryRun) ? "would be recorded" : "recorded";
            Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{tally.Lines:N0} {(form == "crl" ? "entries" : "lines")}: {tally.Applied:N0} events {would}, {tally.Duplicate + tally.Unchanged:N0} known already, {tally.Problems:N0} not taken"));
            if (tally.Note is string note)
            {
                Screen.Field("note", note, Styles.Warning);
            }
        }

        return tally.Problems == 0 ? ExitCode.Good : ExitCode.NotDone;
    }

    private async Task<ImportTally> ImportThereAsync(ParseResult parsed, string form, FileStream stream, Action<double?, string> tell, CancellationToken cancellationToken)
    {
        using AdminApi api = AdminSettings.Open(parsed);
        string issuer = await api.FindIssuerAsync(parsed.GetValue(AdminSettings.Issuer), cancellationToken).ConfigureAwait(false);
        string path = $"/v1/issuers/{issuer}/imports?form={form}&dryRun={(parsed.GetValue(_dryRun) ? "true" : "false")}";
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                // The same file again is how an import goes on: what was recorded is known then.
                stream.Position = 0;
                using StreamContent content = new(new UndisposedStream(stream), 1 << 16);
                JsonElement summary = await ImportAnswer.ReadAsync(Screen, api.PostLinesAsync(path, content, cancellationToken), IsJson(parsed), json => Tell(json.Deserialize<ImportTally>(AdminApi.Json)!, stream, tell)).ConfigureAwait(false);
                return summary.Deserialize<ImportTally>(AdminApi.Json)!;
            }
            catch (CommandFailure failure) when (failure.IsTransient && attempt < s_pauses.Length)
            {
                Screen.Complain(string.Create(CultureInfo.InvariantCulture, $"{failure.Message} Going on in {s_pauses[attempt].TotalSeconds:0} s."));
                await Task.Delay(s_pauses[attempt], _clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<ImportTally> ImportHereAsync(ParseResult parsed, string form, FileStream stream, Action<double?, string> tell, CancellationToken cancellationToken)
    {
        string issuer = parsed.GetValue(AdminSettings.Issuer) ?? throw new CommandFailure("Whose certificates are they? With --data say --issuer ID.", ExitCode.Usage);
        return await LocalData.GuardAsync(async () =>
        {
            Settings settings = LocalData.ReadSettings(parsed);
            (string directory, IssuerId id) = ResponderOptions.ReadForImport(settings, issuer);
            ImportOrder order = new(Enum.Parse<ImportForm>(form, ignoreCase: true), issuer, "FILE", stream.Name, parsed.GetValue(_dryRun), Admin: null, KeyFile: null);
            ImportResult done = await ImportRun.ImportIntoStoreAsync(settings, order, directory, id, stream, progress => Tell(ImportTally.Of(progress, note: null), stream, tell), cancellationToken).ConfigureAwait(false);
            foreach (ImportProblem problem in done.Problems)
            {
                if (!IsJson(parsed))
                {
                    Screen.Complain(problem.Problem);
                }
                else
                {
                    Screen.Output.WriteLine(JsonSerializer.Serialize(new { Problem = new { problem.Line, Detail = problem.Problem } }, AdminApi.Json));
                }
            }

            if (done.Refusal is string refusal)
            {
                throw new CommandFailure(refusal, ExitCode.NotDone);
            }

            ImportTally tally = ImportTally.Of(done.Progress, done.Note);
            if (IsJson(parsed))
            {
                Screen.Output.WriteLine(JsonSerializer.Serialize(new { Summary = tally }, AdminApi.Json));
            }

            return tally;
        }).ConfigureAwait(false);
    }

    // What is settled of what was read, and what was read of the file.
    private static void Tell(ImportTally tally, FileStream stream, Action<double?, string> tell) => tell(
        stream.Length > 0 && tally.Lines > 0 ? (double)stream.Position / stream.Length * tally.Settled / tally.Lines : null,
        string.Create(CultureInfo.InvariantCulture, $"{tally.Settled:N0} lines, {tally.Applied:N0} events"));

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"'{path}' cannot be read: {e.Message}");
        }
    }
}

/// <summary>What an import came to, or has come to so far.</summary>
internal sealed record ImportTally(long Lines, long Settled, long Applied, long Duplicate, long Unchanged, long Problems, string? Note = null)
{
    public static ImportTally Of(ImportProgress progress, string? note) =>
        new(progress.Lines, progress.Settled, progress.Applied, progress.Duplicates, progress.Unchanged, progress.Problems, note);
}

/// <summary>The forms of files, told apart by how they begin.</summary>
internal static class ImportForms
{
    /// <summary>The form's name; null when it begins like none. The stream is at its beginning afterwards.</summary>
    public static string? Recognize(Stream stream)
    {
        byte[] beginning = new byte[4096];
        int length = stream.ReadAtLeast(beginning, beginning.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        if (length > 0 && beginning[0] == 0x30)
        {
            return "crl"; // the SEQUENCE of DER
        }

        string text = System.Text.Encoding.UTF8.GetString(beginning, 0, length).TrimStart('\uFEFF', ' ', '\r', '\n');
        string line = text.Split('\n')[0].TrimEnd('\r');
        return text.StartsWith("-----BEGIN X509 CRL", StringComparison.Ordinal) ? "crl"
            : text.StartsWith('{') ? "ndjson"
            : line.Length > 2 && line[0] is 'V' or 'R' or 'E' && line[1] == '\t' ? "index"
            : line.Split(',').Select(name => name.Trim(' ', '"')).Contains("serial", StringComparer.OrdinalIgnoreCase) ? "csv"
            : null;
    }
}

/// <summary>Lets a file be sent more than once.</summary>
internal sealed class UndisposedStream(Stream inner) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
