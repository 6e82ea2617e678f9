using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using OcspCluster.Client;

namespace OcspCluster.Cli;

/// <summary>The options of the command line that say how a client asks, and what it makes of them: the same for every verb.</summary>
internal static class ClientSettings
{
    public static Option<double> Timeout { get; } = AtLeast(new Option<double>("--timeout") { Description = "How long one connection or request may take; a certificate in all four times as long", HelpName = "SECONDS", DefaultValueFactory = _ => 5 }, 0.001, 3600);

    public static Option<string?> Proxy { get; } = new("--proxy") { Description = "The HTTP proxy (default: http_proxy and the like)", HelpName = "URL" };

    public static Option<bool> NoProxy { get; } = new("--no-proxy") { Description = "No proxy, whatever the environment says" };

    public static Option<string[]> Header { get; } = new("--header") { Description = "An HTTP header field for the responder that the command line names; may be repeated", HelpName = "NAME:VALUE" };

    public static Option<bool> Json { get; } = new("--json") { Description = "Print JSON, one object a line" };

    /// <summary>The options that every verb has which asks.</summary>
    public static IEnumerable<Option> Network => [Timeout, Proxy, NoProxy];

    /// <summary>The client's options as far as these options say.</summary>
    public static OcspClientOptions Read(ParseResult result, OcspClientOptions options)
    {
        TimeSpan timeout = TimeSpan.FromSeconds(result.GetValue(Timeout));
        return options with
        {
            Store = null, // a tool of one shot, whose user wants to see what the responder says now
            Proxy = result.GetValue(NoProxy) ? null : result.GetValue(Proxy) is string proxy ? new WebProxy(ReadUrl("--proxy", proxy)) : options.Proxy,
            Headers = ReadHeaders(result.GetValue(Header) ?? []),
            Limits = options.Limits with { RequestTimeout = timeout, CrlTimeout = timeout * 3, TotalTimeout = timeout * 4 },
        };
    }

    /// <summary>Reads an http or https URL.</summary>
    public static Uri ReadUrl(string option, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? url
            : throw new CommandFailure($"{option}: '{text}' is not an http or https URL.", ExitCode.Usage);

    /// <summary>An option with bounds.</summary>
    public static Option<double> AtLeast(Option<double> option, double minimum, double maximum)
    {
        option.Validators.Add(result => Bound(result, option, minimum, maximum));
        return option;
    }

    private static void Bound(OptionResult result, Option<double> option, double minimum, double maximum)
    {
        foreach (Token token in result.Tokens)
        {
            if (double.TryParse(token.Value, CultureInfo.InvariantCulture, out double value) && !(value >= minimum && value <= maximum))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name}: {token.Value} is not from {minimum} to {maximum}."));
            }
        }
    }

    private static KeyValuePair<string, string>[] ReadHeaders(string[] headers) => [.. headers.Select(header =>
    {
        int separator = header.AsSpan().IndexOfAny(':', '='); // '=' is how openssl ocsp writes it
        return separator > 0 && !header.AsSpan().ContainsAny('\r', '\n')
            ? KeyValuePair.Create(header[..separator].Trim(), header[(separator + 1)..].Trim())
            : throw new CommandFailure($"--header: '{header}' is not NAME:VALUE.", ExitCode.Usage);
    })];
}
