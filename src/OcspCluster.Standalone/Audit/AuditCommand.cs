using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Audit;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Standalone.Audit;

/// <summary>The verbs <c>audit verify</c>, <c>audit export</c>, <c>audit check</c>, <c>audit import</c> and <c>audit rebuild</c>.</summary>
internal static class AuditCommand
{
    private static readonly Option<string> s_issuer = new("--issuer") { Description = "The id of the issuer whose journal it is", HelpName = "ID", Required = true };
    private static readonly Option<FileInfo> s_output = new("--output") { Description = "The file to write; it must not be there yet", HelpName = "FILE", Required = true };
    private static readonly Option<FileInfo> s_file = new("--file") { Description = "The exported file", HelpName = "FILE", Required = true };
    private static readonly Option<FileInfo?> s_ownKey = new("--key") { Description = "The journal's public key, as you kept it elsewhere (default: journal.pub of the data directory)", HelpName = "FILE" };
    private static readonly Option<FileInfo> s_key = new("--key") { Description = "The journal's public key", HelpName = "FILE", Required = true };

    /// <summary>Makes the command.</summary>
    /// <param name="readSettings">Reads the configuration.</param>
    /// <param name="guard">Tells failures that an operator can mend in words.</param>
    public static Command Create(Func<ParseResult, Settings> readSettings, Func<Func<Task<int>>, Task<int>> guard)
    {
        Command verify = new("verify", "Prove journals and statuses sound, or name the first bad entry; the responder may run") { s_ownKey };
        Command export = new("export", "Sign for a journal and write it for a verifier elsewhere; the responder may run") { s_issuer, s_output };
        Command check = new("check", "Verify an exported file with the public key alone") { s_file, s_key };
        Command import = new("import", "Bring an exported file into the store of a stopped responder, and prove it equal") { s_file, s_key };
        Command rebuild = new("rebuild", "Make the store of a stopped responder anew from its journal, and prove it equal");
        verify.SetAction((result, token) => guard(() => VerifyAsync(DirectoryOf(result), result.GetValue(s_ownKey), Console.Out, Console.Error, token)));
        export.SetAction((result, token) => guard(() => ExportAsync(DirectoryOf(result), result.GetRequiredValue(s_issuer), result.GetRequiredValue(s_output), Console.Out, token)));
        check.SetAction((result, token) => guard(() => CheckAsync(result.GetRequiredValue(s_file), result.GetRequiredValue(s_key), Console.Out, token)));
        import.SetAction((result, token) => guard(() => ImportAsync(DirectoryOf(result), result.GetRequiredValue(s_file), result.GetRequiredValue(s_key), Console.Out, Console.Error, token)));
        rebuild.SetAction((result, token) => guard(() => RebuildAsync(DirectoryOf(result), Console.Out, Console.Error, token)));
        return new Command("audit", "Prove, export, import or rebuild the journals") { verify, export, check, import, rebuild };

        string DirectoryOf(ParseResult result) => ResponderOptions.ReadDataDirectory(readSettings(result));
    }

    private static async Task<int> VerifyAsync(string directory, FileInfo? key, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        StoreAuditReport report = await StoreAudit.VerifyAsync(directory, key?.FullName, new ProgressLines(error), cancellationToken).ConfigureAwait(false);
        foreach (AuditReport issuer in report.Issuers)
        {
            await output.WriteLineAsync(Describe(issuer)).ConfigureAwait(false);
        }

        foreach (string problem in report.Structure)
        {
            await output.WriteLineAsync("not sound: " + problem).ConfigureAwait(false);
        }

        return report.IsAccepted ? ExitCodes.Success : ExitCodes.NotSound;
    }

    private static async Task<int> ExportAsync(string directory, string issuer, FileInfo file, TextWriter output, CancellationToken cancellationToken)
    {
        if (!IssuerId.IsValid(issuer))
        {
            throw new ConfigurationException([new("--issuer", issuer, "is not an issuer id")]);
        }

        try
        {
            using FileStream stream = new(file.FullName, FileMode.CreateNew, FileAccess.Write);
            Checkpoint checkpoint = await StoreAudit.ExportAsync(directory, new IssuerId(issuer), stream, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            await output.WriteLineAsync($"{checkpoint.Size:N0} entries of issuer '{issuer}', root {checkpoint.Root}").ConfigureAwait(false);
            return ExitCodes.Success;
        }
        catch (JournalForkException e)
        {
            File.Delete(file.FullName); // ours: it was made above, and holds nothing yet
            await output.WriteLineAsync("not sound: " + e.Message).ConfigureAwait(false);
            return ExitCodes.NotSound;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new("--output", file.ToString(), $"cannot be written: {e.Message}")]);
        }
    }

    private static async Task<int> CheckAsync(FileInfo file, FileInfo keyFile, TextWriter output, CancellationToken cancellationToken)
    {
        using ECDsa key = JournalKeyFile.LoadPublic(keyFile.FullName);
        try
        {
            using FileStream stream = file.OpenRead();
            AuditReport? report = await new JournalExportVerifier(new CheckpointVerifier(key)).VerifyAsync(stream, cancellationToken).ConfigureAwait(false);
            await output.WriteLineAsync(report is null ? $"not sound: '{file}' is no exported journal" : Describe(report)).ConfigureAwait(false);
            return report is { IsAccepted: true } ? ExitCodes.Success : ExitCodes.NotSound;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new("--file", file.ToString(), $"cannot be read: {e.Message}")]);
        }
    }

    private static async Task<int> ImportAsync(string directory, FileInfo file, FileInfo keyFile, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        using ECDsa key = JournalKeyFile.LoadPublic(keyFile.FullName);
        FileStream stream;
        try
        {
            stream = file.OpenRead();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new("--file", file.ToString(), $"cannot be read: {e.Message}")]);
        }

        await using (stream.ConfigureAwait(false))
        {
            (JournalImportReport import, AuditReport audit) = await StoreImport.RunAsync(directory, stream, key, new ProgressLines(error), cancellationToken).ConfigureAwait(false);
            await output.WriteLineAsync($"{import.Appended:N0} of {import.Entries:N0} entries of issuer '{import.Issuer}' imported, the others were there; the last one's digest is {import.Head.Hash}").ConfigureAwait(false);
            await output.WriteLineAsync(Describe(audit)).ConfigureAwait(false);
            return audit.IsAccepted ? ExitCodes.Success : ExitCodes.NotSound;
        }
    }

    private static async Task<int> RebuildAsync(string directory, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        (IReadOnlyList<AuditReport> reports, string backup) = await new StoreRebuild(directory, TimeProvider.System, new ProgressLines(error)).RunAsync(cancellationToken).ConfigureAwait(false);
        foreach (AuditReport report in reports)
        {
            await output.WriteLineAsync(Describe(report)).ConfigureAwait(false);
        }

        await output.WriteLineAsync($"rebuilt; the store of before is '{backup}'").ConfigureAwait(false);
        return ExitCodes.Success;
    }

    private static string Describe(AuditReport report)
    {
        string signed = report.Checkpoint is { } checkpoint
            ? string.Create(CultureInfo.InvariantCulture, $"signed for up to {checkpoint.Size} at {checkpoint.Time:u}")
            : "compared with no checkpoint";
        string certificates = report.Certificates > 0 ? string.Create(CultureInfo.InvariantCulture, $"{report.Certificates} certificates, ") : ""; // an export has entries only
        return string.Create(CultureInfo.InvariantCulture, $"{(report.IsAccepted ? "sound" : "not sound")}: issuer '{report.Issuer}': {report.Entries} entries, {certificates}root {report.Root}, {signed}")
            + (report.FirstFinding is { } finding ? $"; first of {report.Findings} findings: {finding}" : "");
    }

    private sealed class ProgressLines(TextWriter error) : IProgress<AuditProgress>
    {
        private const int Every = 100_000;

        public void Report(AuditProgress value)
        {
            if (value.Done % Every == 0)
            {
                error.WriteLine($"{value.Issuer}: {value.Phase}: {value.Done:N0}");
            }
        }
    }
}
