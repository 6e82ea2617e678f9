using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>The verb <c>bench</c>: loads an OCSP responder, and shows what its clients felt.</summary>
internal sealed class BenchCommand : AdminCommand
{
    private static readonly double[] s_percentiles = [50, 75, 90, 99, 99.9, 99.99];

    private readonly TimeProvider _clock;
    private readonly Argument<string> _url = new("URL") { Description = "The responder, http" };
    private readonly Option<string?> _issuer = new("--issuer") { Description = "A file with the CA's certificate", HelpName = "FILE" };
    private readonly Option<string[]> _serial = new("--serial") { Description = "A serial number to ask about; may be repeated: they are asked in turn", HelpName = "SERIAL" };
    private readonly Option<string?> _list = new("--list") { Description = "A list of serial numbers, one a line; - is standard input", HelpName = "FILE" };
    private readonly Option<bool> _random = new("--random") { Description = "Ask each time about another random serial number, which nobody issued" };
    private readonly Option<string[]> _request = new("--request") { Description = "Send this request (DER) instead; may be repeated", HelpName = "FILE" };
    private readonly Option<string> _hash = new("--hash") { Description = "The hash algorithm of the CertIDs", HelpName = "NAME", DefaultValueFactory = _ => "sha1" };
    private readonly Option<bool> _nonce = new("--nonce") { Description = "Send a fresh nonce each time, which no cache can answer" };
    private readonly Option<string> _method = new("--method") { Description = "get or post", HelpName = "NAME", DefaultValueFactory = _ => "get" };
    private readonly Option<int> _connections = new("--connections", "-c") { Description = "How many connections, 1 to 10000", HelpName = "N", DefaultValueFactory = _ => 16 };
    private readonly Option<double?> _rate = new("--rate") { Description = "Requests per second at fixed times, whatever the server does (open loop); default: each connection asks again when it has its answer (closed loop)", HelpName = "N" };
    private readonly Option<double> _duration = ClientSettings.AtLeast(new Option<double>("--duration") { Description = "How long is measured", HelpName = "SECONDS", DefaultValueFactory = _ => 10 }, 0.1, 86_400);
    private readonly Option<double> _warmup = ClientSettings.AtLeast(new Option<double>("--warmup") { Description = "How long it is loaded before", HelpName = "SECONDS", DefaultValueFactory = _ => 2 }, 0, 3600);
    private readonly Option<bool> _noKeepAlive = new("--no-keep-alive") { Description = "A connection for each request, as most OCSP clients have" };
    private readonly Option<bool> _allowRemote = new("--allow-remote") { Description = "Load another machine; do that to your own only" };

    public BenchCommand(Screen screen, TimeProvider clock)
        : base(screen, "bench", "Load a responder, this machine's unless told otherwise, and measure: rate, latencies, outcomes")
    {
        _clock = clock;
        _hash.AcceptOnlyFromAmong("sha1", "sha256", "sha384", "sha512");
        _method.AcceptOnlyFromAmong("get", "post");
        Add(_url);
        Take([_issuer, _serial, _list, _random, _request, _hash, _nonce, _method, _connections, _rate, _duration, _warmup, _noKeepAlive, _allowRemote, ClientSettings.Timeout, ClientSettings.Json]);
        Validators.Add(result =>
        {
            bool byNumber = result.GetResult(_serial) is not null || result.GetResult(_list) is not null || result.GetResult(_random) is { Implicit: false };
            if (byNumber == (result.GetResult(_request) is not null))
            {
                result.AddError("What is asked? --issuer FILE with --serial, --list or --random; or --request FILE.");
            }
            else if (byNumber && result.GetResult(_issuer) is null)
            {
                result.AddError("Whose certificates are asked about? --issuer FILE.");
            }
        });
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        Uri url = ClientSettings.ReadUrl("URL", parsed.GetRequiredValue(_url));
        int connections = parsed.GetValue(_connections) is >= 1 and <= 10_000 and var count ? count : throw new CommandFailure("--connections: it is from 1 to 10000.", ExitCode.Usage);
        double? rate = parsed.GetValue(_rate) is not <= 0 and var given ? given : throw new CommandFailure("--rate: it is more than 0.", ExitCode.Usage);
        if (url.Scheme != Uri.UriSchemeHttp)
        {
            throw new CommandFailure("URL: OCSP is asked over plain http, and so does bench.", ExitCode.Usage);
        }

        IPAddress address = await ResolveAsync(url, parsed.GetValue(_allowRemote), cancellationToken).ConfigureAwait(false);
        BenchPlan plan = new()
        {
            Host = address.ToString(),
            Port = url.Port,
            Request = Requests(parsed, url),
            Connections = connections,
            KeepsAlive = !parsed.GetValue(_noKeepAlive),
            Warmup = TimeSpan.FromSeconds(parsed.GetValue(_warmup)),
            Duration = TimeSpan.FromSeconds(parsed.GetValue(_duration)),
            Rate = rate,
            Timeout = TimeSpan.FromSeconds(parsed.GetValue(ClientSettings.Timeout)),
        };
        BenchResult result = await new WorkProgress(Screen, _clock).RunAsync($"{url}", tell => new BenchRun(plan, _clock).RunAsync(tell, cancellationToken)).ConfigureAwait(false);
        if (IsJson(parsed))
        {
            Screen.Output.WriteLine(ToJson(url, plan, result));
        }
        else
        {
            Print(url, plan, result);
        }

        return result.Failed == 0 && result.Latencies.Count > 0 ? ExitCode.Good : ExitCode.NotDone;
    }

    private static async Task<IPAddress> ResolveAsync(Uri url, bool allowsRemote, CancellationToken cancellationToken)
    {
        IPAddress[] addresses;
        try
        {
            addresses = await Dns.GetHostAddressesAsync(url.IdnHost, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw new CommandFailure($"{url}: there is no host '{url.IdnHost}': {e.Message}.");
        }

        return addresses.FirstOrDefault(address => IPAddress.IsLoopback(address) || allowsRemote)
            ?? throw new CommandFailure($"{url} is not on this machine. To load another one that is yours: --allow-remote.", ExitCode.Usage);
    }

    private Func<long, ReadOnlyMemory<byte>> Requests(ParseResult parsed, Uri url)
    {
        HttpForm form = new(url, parsed.GetValue(_method) == "get", !parsed.GetValue(_noKeepAlive));
        if (parsed.GetValue(_request) is { Length: > 0 } files)
        {
            byte[][] saved = [.. files.Select(file => form.Encode(Files.ReadBytes(file)))];
            return number => saved[number % saved.Length];
        }

        X509Certificate2 issuer = Files.ReadCertificates(parsed.GetValue(_issuer)!)[0];
        CertIdHash hash = CertIdHash.All.Single(one => one.Name.Replace("-", "", StringComparison.Ordinal).Equals(parsed.GetValue(_hash), StringComparison.OrdinalIgnoreCase));
        bool hasNonce = parsed.GetValue(_nonce);
        if (parsed.GetValue(_random))
        {
            return _ => form.Encode(Build(SerialNumber.FromContent([0x01, .. RandomNumberGenerator.GetBytes(15)])));
        }

        SerialNumber[] serials = [.. (parsed.GetValue(_serial) ?? []).Concat(parsed.GetValue(_list) is string list ? Files.ReadList(list) : []).Select(SerialText.Parse)];
        if (serials.Length == 0)
        {
            throw new CommandFailure($"'{parsed.GetValue(_list)}' has no serial number in it.", ExitCode.Usage);
        }

        if (hasNonce)
        {
            return number => form.Encode(Build(serials[number % serials.Length]));
        }

        byte[][] prepared = [.. serials.Select(serial => form.Encode(Build(serial)))];
        return number => prepared[number % prepared.Length];

        byte[] Build(SerialNumber serial)
        {
            OcspRequestBuilder builder = new OcspRequestBuilder().Add(CertId.Create(issuer, serial, hash));
            return (hasNonce ? builder.AddNonce() : builder).Build().Encoded.ToArray();
        }
    }

    private void Print(Uri url, BenchPlan plan, BenchResult result)
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        LatencyHistogram latencies = result.Latencies;
        Screen.Line(($"{url}", Styles.Strong), (string.Create(c, $": {result.PerSecond:N0} requests/s, half of them within {Text(latencies.Percentile(50))}, 99 % within {Text(latencies.Percentile(99))}"), default));
        string loop = plan.Rate is double rate ? string.Create(c, $"open loop at {rate:N0}/s; {result.Late:N0} were due while their connection still waited") : "closed loop";
        string each = plan.KeepsAlive ? "" : ", a new one for each request";
        Screen.Field("load", string.Create(c, $"{plan.Connections} connections{each}, {plan.Duration.TotalSeconds:0.#} s after {plan.Warmup.TotalSeconds:0.#} s of warming up, {loop}"));
        foreach ((string outcome, long number) in result.Outcomes.OrderByDescending(outcome => outcome.Value))
        {
            Screen.Field(outcome == BenchResult.Answered ? outcome : "but", string.Create(c, $"{number:N0}{(outcome == BenchResult.Answered ? "" : ": " + outcome)}"), outcome == BenchResult.Answered ? null : Styles.Warning);
        }

        Screen.Field("received", string.Create(c, $"{result.Bytes / 1_000_000.0:N1} MB, {result.Bytes / result.Elapsed.TotalSeconds / 1_000_000:N2} MB/s, over {result.Connections:N0} connections"));
        if (latencies.Count == 0)
        {
            return;
        }

        Screen.Field("latency", string.Create(c, $"mean {Text((long)latencies.Mean)}, least {Text(latencies.Min)}, most {Text(latencies.Max)}"));
        foreach (double percentile in s_percentiles)
        {
            Screen.Field(string.Create(c, $"  {percentile:0.##} %"), Text(latencies.Percentile(percentile)));
        }

        PrintBars(latencies);
    }

    // A row for each doubling, from the shortest to the longest.
    private void PrintBars(LatencyHistogram latencies)
    {
        List<(long Through, long Count)> rows = [];
        long above = -1;
        for (long through = Math.Max(16, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)latencies.Min + 1)); above < latencies.Max; above = through, through *= 2)
        {
            rows.Add((through, latencies.Between(above, through)));
        }

        long most = rows.Max(row => row.Count);
        int width = Math.Max(10, (Screen.IsTerminal ? Screen.Console.Profile.Width : 80) - 34);
        Screen.Output.WriteLine();
        foreach ((long through, long count) in rows.SkipWhile(row => row.Count == 0))
        {
            int length = (int)Math.Ceiling((double)count / most * width);
            Screen.Line((string.Create(CultureInfo.InvariantCulture, $"  up to {Text(through),9} {count,12:N0} "), Styles.Faint), (new string(Screen.IsTerminal ? '█' : '#', length), default));
        }
    }

    private static string ToJson(Uri url, BenchPlan plan, BenchResult result) => JsonSerializer.Serialize(
        new
        {
            Url = url.ToString(),
            plan.Connections,
            plan.KeepsAlive,
            plan.Rate,
            Seconds = result.Elapsed.TotalSeconds,
            Requests = result.Latencies.Count,
            result.PerSecond,
            result.Outcomes,
            result.Failed,
            result.Bytes,
            OpenedConnections = result.Connections,
            result.Late,
            LatencySeconds = s_percentiles.ToDictionary(percentile => "p" + percentile.ToString("0.##", CultureInfo.InvariantCulture), percentile => result.Latencies.Percentile(percentile) / 1e6)
                .Append(KeyValuePair.Create("mean", result.Latencies.Mean / 1e6)).Append(KeyValuePair.Create("min", result.Latencies.Min / 1e6)).Append(KeyValuePair.Create("max", result.Latencies.Max / 1e6))
                .ToDictionary(),
        },
        CheckJson.Options);

    private static string Text(long microseconds) => microseconds switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds} µs"),
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000.0:0.00} ms"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000.0:0.0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1e6:0.00} s"),
    };

    /// <summary>Makes whole HTTP/1.1 requests.</summary>
    private sealed class HttpForm(Uri url, bool isGet, bool keepsAlive)
    {
        private readonly string _path = url.GetComponents(UriComponents.PathAndQuery, UriFormat.UriEscaped);
        private readonly string _rest = $"Host: {url.Authority}\r\nUser-Agent: ocspctl-bench\r\n{(keepsAlive ? "" : "Connection: close\r\n")}";

        public byte[] Encode(byte[] request) => isGet
            ? Encoding.ASCII.GetBytes($"GET {_path.TrimEnd('/')}/{Uri.EscapeDataString(Convert.ToBase64String(request))} HTTP/1.1\r\n{_rest}\r\n")
            : [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"POST {_path} HTTP/1.1\r\n{_rest}Content-Type: application/ocsp-request\r\nContent-Length: {request.Length}\r\n\r\n")), .. request];
    }
}
