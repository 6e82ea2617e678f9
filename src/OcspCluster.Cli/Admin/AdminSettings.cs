using System.CommandLine;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Cli;

/// <summary>The options that say where a responder's admin API is, who asks, and whom to trust: the same for every verb that asks there.</summary>
internal static class AdminSettings
{
    private const string AdminVariable = "OCSPCTL_ADMIN";
    private const string KeyVariable = "OCSPCTL_KEY";
    private const string KeyFileVariable = "OCSPCTL_KEY_FILE";
    private const string DefaultAdmin = "http://127.0.0.1:8081";
    private static readonly string s_operatorKey = Path.Combine("data", "admin.key");

    public static Option<string?> Admin { get; } = new("--admin") { Description = $"The responder's admin listener (default: ${AdminVariable}, else {DefaultAdmin})", HelpName = "URL" };

    public static Option<string?> Key { get; } = new("--key") { Description = $"The API key, id.secret (default: ${KeyVariable}); others on this machine can see a command line, so better --key-file", HelpName = "KEY" };

    public static Option<string?> KeyFile { get; } = new("--key-file") { Description = $"A file with the API key (default: ${KeyFileVariable}; else, for a responder on this machine, data/admin.key if there)", HelpName = "FILE" };

    public static Option<string[]> CaFile { get; } = new("--ca-file") { Description = "Roots of the admin listener's certificate (default: the system's); may be repeated", HelpName = "FILE" };

    public static Option<string?> ClientCertificate { get; } = new("--client-cert") { Description = "A client certificate instead of a key: PEM, its private key in the same file or in --client-key", HelpName = "FILE" };

    public static Option<string?> ClientKey { get; } = new("--client-key") { Description = "The private key of the client certificate, PEM", HelpName = "FILE" };

    public static Option<string?> Issuer { get; } = new("--issuer") { Description = "The issuer's id (default: the only one there is)", HelpName = "ID" };

    public static Option<string?> Data { get; } = new("--data") { Description = "Work on this data directory instead of asking a responder", HelpName = "DIR" };

    public static Option<string?> Config { get; } = new("--config") { Description = "The responder's configuration file, for --data (default: appsettings.json of the working directory, if there)", HelpName = "FILE" };

    /// <summary>The options of a verb that asks the admin API.</summary>
    public static IEnumerable<Option> All => [Admin, Key, KeyFile, CaFile, ClientCertificate, ClientKey, ClientSettings.Timeout, ClientSettings.Json];

    /// <summary>Opens the API that the options name.</summary>
    public static AdminApi Open(ParseResult parsed)
    {
        Uri uri = ReadUri(parsed);
        X509Certificate2? client = parsed.GetValue(ClientCertificate) is string certificate ? Files.ReadSigner(certificate, parsed.GetValue(ClientKey) ?? certificate, passwordFile: null) : null;
        string? key = client is null ? FindKey(parsed, uri) : parsed.GetValue(Key);
        if (key is not null && uri.Scheme == Uri.UriSchemeHttp && !uri.IsLoopback)
        {
            throw new CommandFailure($"--admin: {uri} is not https: the key would be for everybody on the way to read.", ExitCode.Usage);
        }

        X509Certificate2[] roots = [.. (parsed.GetValue(CaFile) ?? []).SelectMany(Files.ReadCertificates)];
        return new AdminApi(uri, key, roots, client, TimeSpan.FromSeconds(parsed.GetValue(ClientSettings.Timeout)));
    }

    /// <summary>Where the admin API is.</summary>
    public static Uri ReadUri(ParseResult parsed) => ClientSettings.ReadUrl("--admin", parsed.GetValue(Admin) ?? Variable(AdminVariable) ?? DefaultAdmin);

    // What is said on the command line goes before the environment, and that before what lies about.
    private static string? FindKey(ParseResult parsed, Uri uri) =>
        parsed.GetValue(Key)
        ?? (parsed.GetValue(KeyFile) is string file ? ReadKey(file) : null)
        ?? Variable(KeyVariable)
        ?? (Variable(KeyFileVariable) is string named ? ReadKey(named) : null)
        ?? (uri.IsLoopback && File.Exists(s_operatorKey) ? ReadKey(s_operatorKey) : null);

    private static string ReadKey(string file) =>
        Files.ReadList(file) is [string key, ..] ? key : throw new CommandFailure($"'{file}' has no key in it.");

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
