using System.Globalization;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>
/// The load of h2load over HTTP/1.1, beside wrk's: that the figures are the servers' and not the client's. It goes through a list of GET targets in order, the same over all connections.
/// </summary>
internal static class H2Load
{
    public const string Program = "h2load";

    /// <summary>How many targets its list has.</summary>
    public const int Targets = 10_000;

    /// <summary>Has it ask for so long.</summary>
    public static async Task<WrkReport> AskAsync(Contestant contestant, Workload work, int certificates, int connections, TimeSpan duration)
    {
        ExternalTool h2load = ExternalTool.Find(Program) ?? throw new InvalidOperationException("This machine has no h2load (Debian: nghttp2-client).");
        string list = Path.Combine(work.Directory, "h2load.uris"), log = Path.Combine(work.Directory, "h2load.log");
        string authority = contestant.Url.GetLeftPart(UriPartial.Authority);
        await File.WriteAllLinesAsync(list, Enumerable.Range(0, Math.Min(Targets, certificates)).Select(i => authority + work.Target(i)));
        File.Delete(log); // it appends
        ToolResult result = await h2load.RunAsync(
            ["--h1", "-t", "2", "-c", Text(connections), "-D", Text((int)Math.Ceiling(duration.TotalSeconds)), "-i", list, "--log-file=" + log],
            timeout: duration + TimeSpan.FromMinutes(1));

        // "finished in 2.00s, …"; a line of the log: when it began in µs, the status, how long it took in µs.
        string? finished = result.Output.Split('\n').FirstOrDefault(line => line.StartsWith("finished in ", StringComparison.Ordinal));
        if (finished is null || !File.Exists(log))
        {
            throw new InvalidOperationException("h2load did not report: " + result);
        }

        List<double> latencies = [];
        long bad = 0;
        foreach (string line in File.ReadLines(log))
        {
            string[] fields = line.Split('\t');
            latencies.Add(double.Parse(fields[2], CultureInfo.InvariantCulture));
            bad += fields[1] == "200" ? 0 : 1;
        }

        latencies.Sort();
        double At(double part) => latencies.Count == 0 ? 0 : latencies[(int)((latencies.Count - 1) * part)];
        return new WrkReport(latencies.Count, Microseconds(finished.Split(' ', ',')[2]), At(0.5), At(0.99), At(0.999), At(1), bad, SocketErrors: 0);
    }

    // "2.01s", "950.20ms", or "1m02s" after a pause.
    private static long Microseconds(string text) =>
        text.EndsWith("ms", StringComparison.Ordinal) ? (long)(double.Parse(text[..^2], CultureInfo.InvariantCulture) * 1e3)
        : text.Contains('m', StringComparison.Ordinal) ? Microseconds(text[(text.IndexOf('m', StringComparison.Ordinal) + 1)..]) + (long.Parse(text[..text.IndexOf('m', StringComparison.Ordinal)], CultureInfo.InvariantCulture) * 60_000_000)
        : (long)(double.Parse(text[..^1], CultureInfo.InvariantCulture) * 1e6);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
