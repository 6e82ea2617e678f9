using System.Globalization;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>
/// <c>./bench.sh overload</c>: what cached answers suffer when more is asked than can be answered. Each flood is compared with a flood of the same number of connections that ask for
/// cached answers, in the same round: the client and the server share the processors, so a load that costs nothing does not exist.
/// </summary>
internal static class OverloadCommand
{
    private const int Connections = 16;
    private const int FloodConnections = 64;

    public static async Task<int> RunAsync(string[] arguments)
    {
        int rounds = arguments is ["--rounds", string text] ? int.Parse(text, CultureInfo.InvariantCulture) : 3;
        TimeSpan duration = TimeSpan.FromSeconds(2);
        using ScratchDirectory directory = new();
        Workload work = new(directory.Path, 10_000);
        Contestant host = await Contestant.StandaloneAsync(work);
        await using ServerProcess server = host.Server;
        RequestRows cached = work.Post;
        (string Name, RequestRows Rows)[] floods =
            [("cached answers", cached), ("nonces", work.WriteNonces(200_000)), ("never issued", work.WriteUnissued(200_000))];
        await AskAsync(cached, Connections, 0); // every certificate is in the cache afterwards
        await AskAsync(cached, Connections, 1);
        List<(string Flood, double Peak, double Overloaded, WrkReport Cached, WrkReport Flooding, double Megabytes)> all = [];
        for (int round = 0; round < rounds; round++)
        {
            double peak = (await AskAsync(cached, FloodConnections, round)).PerSecond;
            double overloaded = (await AskAsync(cached, 16 * FloodConnections, round)).PerSecond;
            foreach ((string name, RequestRows rows) in floods)
            {
                Task<WrkReport> flood = AskAsync(rows, FloodConnections, round + 10);
                WrkReport answers = await AskAsync(cached, Connections, round + 20);
                all.Add((name, peak, overloaded, answers, await flood, host.Server.ResidentBytes / 1e6));
            }
        }

        Console.WriteLine($"{Environment.ProcessorCount} processors; {rounds} rounds of {duration.TotalSeconds} s, medians; cached answers over {Connections} connections beside a flood over {FloodConnections}");
        Print($"{16 * FloodConnections} connections answer {Median(all.Select(one => one.Overloaded / one.Peak)):N2} of what {FloodConnections} do ({Median(all.Select(one => one.Peak)):N0}/s)");
        Print($"{"flood of",-16} {"flood/s",9} {"cached/s",9} {"p50 ms",8} {"p99 ms",8} {"× p50",7} {"× p99",7} {"wrong",6} {"MB",6}");
        foreach ((string name, _) in floods)
        {
            var mine = all.Where(one => one.Flood == name).ToList();
            var calm = all.Where(one => one.Flood == floods[0].Name).ToList();
            Print($"{name,-16} {Median(mine.Select(one => one.Flooding.PerSecond)),9:N0} {Median(mine.Select(one => one.Cached.PerSecond)),9:N0} {Median(mine.Select(one => one.Cached.P50)) / 1000,8:N2} {Median(mine.Select(one => one.Cached.P99)) / 1000,8:N2} {Median(mine.Zip(calm, (a, b) => a.Cached.P50 / b.Cached.P50)),7:N2} {Median(mine.Zip(calm, (a, b) => a.Cached.P99 / b.Cached.P99)),7:N2} {mine.Sum(one => one.Cached.BadStatus + one.Cached.SocketErrors + one.Flooding.BadStatus + one.Flooding.SocketErrors),6} {mine.Max(one => one.Megabytes),6:N0}");
        }

        return 0;

        Task<WrkReport> AskAsync(RequestRows rows, int connections, int seed) =>
            WrkLoad.AskAsync(host.Url, rows, isPost: true, isZipf: false, keepsConnection: true, connections, seed, duration);
    }

    private static void Print(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
