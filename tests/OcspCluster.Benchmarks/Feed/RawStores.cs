using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Benchmarks.Feed;

/// <summary>What the disk gives to anybody: one small row, flushed, and the next one.</summary>
internal static class RawStores
{
    private const int RowBytes = 150;

    /// <summary>Commits of one row a second, as the store commits.</summary>
    public static double SqlitePerSecond(string file, TimeSpan duration)
    {
        using SqliteDatabase database = SqliteDatabase.Open(file, readOnly: false);
        database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, payload BLOB)");
        SqliteStatement insert = database.Prepare("INSERT INTO t (payload) VALUES (?)");
        byte[] payload = new byte[RowBytes];
        long start = Stopwatch.GetTimestamp();
        int commits = 0;
        for (; Stopwatch.GetElapsedTime(start) < duration; commits++)
        {
            insert.Bind(1, payload).Run();
        }

        return commits / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>XADDs a second by one client of a Redis with <c>appendfsync always</c>.</summary>
    public static async Task<double> RedisPerSecondAsync(int port, TimeSpan duration)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        byte[] add = Encoding.ASCII.GetBytes($"*5\r\n$4\r\nXADD\r\n$3\r\nraw\r\n$1\r\n*\r\n$1\r\nf\r\n${RowBytes}\r\n{new string('x', RowBytes)}\r\n");
        byte[] answer = new byte[256];
        long start = Stopwatch.GetTimestamp();
        int writes = 0;
        for (; Stopwatch.GetElapsedTime(start) < duration; writes++)
        {
            await socket.SendAsync(add);
            int read = await socket.ReceiveAsync(answer);
            if (read == 0 || answer[0] != '$')
            {
                throw new InvalidOperationException("Redis did not take a write: " + Encoding.ASCII.GetString(answer, 0, read));
            }
        }

        return writes / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
