using System.CommandLine;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Standalone.Import;

/// <summary>The verb <c>import</c> and what stands behind it.</summary>
internal static class ImportCommand
{
    private static readonly (string Name, ImportForm Form, string Option, string Description, string File)[] s_forms =
    [
        ("index", ImportForm.Index, "--index", "Bring an issuer to what an OpenSSL index.txt says", "The index.txt of 'openssl ca'"),
        ("crl", ImportForm.Crl, "--crl", "Bring an issuer to what a CRL says, complete or delta", "The CRL, PEM or DER: a file, or an http or https URL"),
        ("csv", ImportForm.Csv, "--file", "Record the events of a table", "The table, with a header of the columns serial, kind, at, reason, invalidity_date, not_after, id"),
        ("ndjson", ImportForm.Ndjson, "--file", "Record events, one JSON object per line as the feed takes them", "The events"),
    ];

    /// <summary>Makes the verb.</summary>
    /// <param name="readSettings">Reads the configuration.</param>
    /// <param name="guard">Tells what an operator can mend in words.</param>
    public static Command Create(Func<ParseResult, Settings> readSettings, Func<Func<Task<int>>, Task<int>> guard)
    {
        Command import = new("import", "Record what a file says was issued and revoked: in the store of a stopped responder, or through the API of one that runs; may be run again at any time");
        foreach ((string name, ImportForm form, string optionName, string description, string fileDescription) in s_forms)
        {
            Option<string> issuer = new("--issuer") { Description = "The id of the issuer whose certificates they are", HelpName = "ID", Required = true };
            Option<string> file = new(optionName) { Description = fileDescription, HelpName = form == ImportForm.Crl ? "FILE|URL" : "FILE", Required = true };
            Option<bool> dryRun = new("--dry-run") { Description = "Tell what would be recorded, and record nothing" };
            Option<string?> admin = new("--admin") { Description = "Import through the responder that runs there (its Admin:Url); needs --key-file", HelpName = "URL" };
            Option<FileInfo?> keyFile = new("--key-file") { Description = "The file with an API key that may feed the issuer", HelpName = "FILE" };
            Command verb = new(name, description) { issuer, file, dryRun, admin, keyFile };
            verb.SetAction((ParseResult result, CancellationToken _) => guard(() => ImportRun.RunAsync(
                readSettings(result),
                new ImportOrder(form, result.GetRequiredValue(issuer), optionName, result.GetRequiredValue(file), result.GetValue(dryRun), result.GetValue(admin), result.GetValue(keyFile)),
                Console.Out,
                Console.Error)));
            import.Add(verb);
        }

        return import;
    }

    /// <summary>The verb as it was before there were several: <c>import --index</c> is <c>import index --index</c>.</summary>
    public static string[] Expand(string[] args) =>
        args is ["import", ..] && args.Contains("--index") && !args.Contains("index") ? ["import", "index", .. args[1..]] : args;
}

/// <summary>What an operator asked to be imported.</summary>
/// <param name="Form">What the file is.</param>
/// <param name="Issuer">The issuer's id, as it was written.</param>
/// <param name="Option">The option that names the file.</param>
/// <param name="File">The file, or the URL of a CRL.</param>
/// <param name="IsDryRun">Whether nothing is recorded.</param>
/// <param name="Admin">The URL of the responder that takes it; null for the store itself.</param>
/// <param name="KeyFile">The file with the key for that.</param>
internal sealed record ImportOrder(ImportForm Form, string Issuer, string Option, string File, bool IsDryRun, string? Admin, FileInfo? KeyFile);
