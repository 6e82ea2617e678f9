using System.Diagnostics;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Tests.Storage;

public sealed class SqliteStoreCrashTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-crash-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Kill_AtAnyMoment_LosesNothingAcknowledgedAndLeavesNothingHalf()
    {
        const int Rounds = 24;
        Random random = new(20260615);
        Dictionary<string, long> acknowledged = [];
        for (int round = 0; round < Rounds; round++)
        {
            // The second half runs SQLite's bundled build, which a machine with only the SDK has.
            int before = acknowledged.Count;
            await WriteUntilKilledAsync($"{round}", bundledSqlite: round >= Rounds / 2, linesToSee: random.Next(0, 300), acknowledged);

            await using SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName); // no repair step
            List<JournalEntry> journal = await store.ReadAllAsync(StoreProcess.Issuer);
            Dictionary<string, long> durable = journal.ToDictionary(entry => entry.Event.Id, entry => entry.Position);
            Assert.All(acknowledged, ack => Assert.Equal(ack.Value, durable[ack.Key]));
            Assert.All(journal.Chunk(2), pair => Assert.Equal((pair[0].Event.Serial, EventKind.Issued, EventKind.Revoked), (pair[^1].Event.Serial, pair[0].Event.Kind, pair[^1].Event.Kind)));
            await store.AssertAgreesWithJournalAsync(StoreProcess.Issuer);
            Assert.InRange(durable.Count, before, acknowledged.Count + 200); // what was in flight, and no more
        }

        Assert.True(acknowledged.Count > 1000, $"{acknowledged.Count} events only were acknowledged in {Rounds} rounds.");
    }

    private async Task WriteUntilKilledAsync(string round, bool bundledSqlite, int linesToSee, Dictionary<string, long> acknowledged)
    {
        using Process writer = StoreProcess.Start(bundledSqlite, StoreProcess.WriteVerb, _directory.FullName, round);
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(60));
        try
        {
            string? library = await writer.StandardOutput.ReadLineAsync(timeout.Token);
            Assert.Contains(bundledSqlite ? "(bundled library)" : "SQLite 3.", library);
            for (int line = 0; line < linesToSee; line++)
            {
                Acknowledge(await writer.StandardOutput.ReadLineAsync(timeout.Token));
            }
        }
        finally
        {
            writer.Kill(); // SIGKILL, wherever its writer thread is
        }

        await writer.WaitForExitAsync(timeout.Token);
        while (await writer.StandardOutput.ReadLineAsync(timeout.Token) is { } line)
        {
            Acknowledge(line);
        }

        // A line without its end was cut off by the kill.
        void Acknowledge(string? line)
        {
            if (line is [.., ';'])
            {
                string[] words = line[..^1].Split(' ');
                acknowledged.Add(words[0], long.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture));
            }
        }
    }
}
