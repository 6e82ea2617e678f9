using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client;
using Spectre.Console;

namespace OcspCluster.Cli;

/// <summary>The verb <c>check</c>.</summary>
internal sealed class CheckCommand : Command
{
    private readonly Screen _screen;
    private readonly TimeProvider _clock;
    private readonly Argument<string[]> _hosts = new("HOST") { Description = "A TLS server: HOST, HOST:PORT, [IPV6]:PORT or an https URL (default port: 443)", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _file = new("--file") { Description = "A list of servers, one a line, # begins a comment; - is standard input", HelpName = "LIST" };
    private readonly Option<string[]> _cert = new("--cert") { Description = "A file with a certificate to check instead of a server's: PEM, DER or PKCS #7, its chain behind it if you have it; may be repeated", HelpName = "FILE" };
    private readonly Option<string[]> _issuer = new("--issuer") { Description = "A file with certificates of CAs, among which the issuer is looked for first; may be repeated", HelpName = "FILE" };
    private readonly Option<string[]> _url = new("--url") { Description = "The responder to ask instead of the certificate's own; may be repeated", HelpName = "URL" };
    private readonly Option<StartTlsProtocol?> _startTls = new("--starttls") { Description = "Ask for TLS in this protocol first: smtp, imap, pop3, ftp, ldap or postgres; the default port is the protocol's", HelpName = "PROTOCOL" };
    private readonly Option<bool> _chain = new("--chain") { Description = "Check the CA certificates above it, too" };
    private readonly Option<bool> _noCrl = new("--no-crl") { Description = "Ask responders only; do not fall back to CRLs" };
    private readonly Option<bool> _expired = new("--expired") { Description = "Ask about certificates that have ended, too" };
    private readonly Option<bool> _allowPrivate = new("--allow-private") { Description = "Follow addresses in certificates into private networks and to this machine" };
    private readonly Option<int> _parallel = new("--parallel") { Description = "How many servers are checked at a time", HelpName = "N", DefaultValueFactory = _ => 8 };

    public CheckCommand(Screen screen, TimeProvider clock)
        : base("check", "Tell whether the certificates of TLS servers, or certificates in files, are revoked")
    {
        _screen = screen;
        _clock = clock;
        Add(_hosts);
        foreach (Option option in (Option[])[_file, _cert, _issuer, _url, _startTls, _chain, _noCrl, _expired, _allowPrivate, _parallel, .. ClientSettings.Network, ClientSettings.Header, ClientSettings.Json])
        {
            Add(option);
        }

        _parallel.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string text }] && int.TryParse(text, CultureInfo.InvariantCulture, out int count) && count is < 1 or > 256)
            {
                result.AddError("--parallel: it is from 1 to 256.");
            }
        });
        Validators.Add(result =>
        {
            if (result.GetResult(_hosts) is null or { Tokens.Count: 0 } && result.GetResult(_file) is null && result.GetResult(_cert) is null)
            {
                result.AddError("What is to be checked? Name a HOST, --file LIST or --cert FILE.");
            }

            if (result.GetResult(ClientSettings.Header) is { Implicit: false } && result.GetResult(_url) is null or { Implicit: true })
            {
                result.AddError("--header goes to a responder that you name: --url URL.");
            }
        });
        SetAction((parsed, cancellationToken) => CommandLine.GuardAsync(screen, () => RunAsync(parsed, cancellationToken)));
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string? list = parsed.GetValue(_file);
        StartTlsProtocol? startTls = parsed.GetValue(_startTls);
        IEnumerable<string> names = [.. parsed.GetValue(_hosts) ?? [], .. list is null ? [] : Files.ReadList(list)];
        CheckTarget[] targets = [.. names.Select(name => CheckTarget.TryParse(name, startTls is null ? 443 : StartTls.PortOf(startTls.Value)) ?? throw new CommandFailure($"'{name}' is not HOST, HOST:PORT, [IPV6]:PORT or an https URL.", ExitCode.Usage))];
        X509Certificate2[] issuers = [.. (parsed.GetValue(_issuer) ?? []).SelectMany(Files.ReadCertificates)];
        using OcspClient client = new(ReadOptions(parsed, issuers));
        CertificateCheck check = new(client, parsed.GetValue(_chain) ? RevocationScope.Chain : RevocationScope.Leaf, startTls);
        bool isJson = parsed.GetValue(ClientSettings.Json);

        List<CheckReport> files = [];
        foreach (string path in parsed.GetValue(_cert) ?? [])
        {
            files.Add(await check.CheckFileAsync(path, issuers, cancellationToken).ConfigureAwait(false));
        }

        CheckReport[] servers = await CheckAllAsync(check, targets, parsed.GetValue(_parallel), cancellationToken).ConfigureAwait(false);
        CheckReport[] reports = [.. files, .. servers];
        Print(reports, isJson, asTable: list is not null);
        return ExitCode.OfAll(reports.Select(report => ExitCode.Of(report.Status)));
    }

    private OcspClientOptions ReadOptions(ParseResult parsed, IReadOnlyList<X509Certificate2> issuers)
    {
        OcspClientOptions options = ClientSettings.Read(parsed, OcspClientOptions.Default);
        return options with
        {
            KnownIssuers = issuers,
            Responders = [.. (parsed.GetValue(_url) ?? []).Select(url => ClientSettings.ReadUrl("--url", url))],
            Sources = parsed.GetValue(_noCrl) ? [RevocationSource.Stapled, RevocationSource.Ocsp] : options.Sources,
            AskAboutExpired = parsed.GetValue(_expired),

            // What the user names himself is his own to name; what a certificate names is a stranger's.
            PrivateAddresses = parsed.GetValue(_allowPrivate) ? PrivateAddressRule.Allow : PrivateAddressRule.AllowGiven,
            Verification = options.Verification with { Clock = _clock },
        };
    }

    private async Task<CheckReport[]> CheckAllAsync(CertificateCheck check, CheckTarget[] targets, int parallel, CancellationToken cancellationToken)
    {
        CheckReport[] reports = new CheckReport[targets.Length];
        ParallelOptions bound = new() { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken };
        if (targets.Length < 2 || !_screen.HasProgress)
        {
            await Parallel.ForAsync(0, targets.Length, bound, async (i, token) => reports[i] = await check.CheckAsync(targets[i], token).ConfigureAwait(false)).ConfigureAwait(false);
            return reports;
        }

        Progress progress = _screen.ErrorConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn());
        await progress.StartAsync(async context =>
        {
            ProgressTask task = context.AddTask(string.Create(CultureInfo.InvariantCulture, $"{targets.Length} servers"), maxValue: targets.Length);
            await Parallel.ForAsync(0, targets.Length, bound, async (i, token) =>
            {
                reports[i] = await check.CheckAsync(targets[i], token).ConfigureAwait(false);
                task.Increment(1);
            }).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return reports;
    }

    private void Print(CheckReport[] reports, bool isJson, bool asTable)
    {
        if (isJson)
        {
            foreach (CheckReport report in reports)
            {
                _screen.Output.WriteLine(CheckJson.Of(report));
            }

            return;
        }

        if (asTable)
        {
            CheckScreen.PrintTable(_screen, reports);
            return;
        }

        for (int i = 0; i < reports.Length; i++)
        {
            if (i > 0)
            {
                _screen.Output.WriteLine();
            }

            CheckScreen.Print(_screen, reports[i]);
        }
    }
}
