using System.Collections.Concurrent;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisStoreCrashTests
{
    private static readonly IssuerId s_issuer = new("crash");

    [Fact]
    public async Task KillOfRedis_AtAnyMoment_LosesNothingAcknowledgedAndLeavesNothingHalf()
    {
        const int Rounds = 12;
        Random random = new(20260615);
        await using RedisServer redis = await RedisServer.StartAsync();
        ConcurrentDictionary<string, long> acknowledged = [];
        for (int round = 0; round < Rounds; round++)
        {
            await SubmitUntilKilledAsync(redis, round, random.Next(1, 120), acknowledged);
            await redis.RestartAsync();

            await using RedisRevocationStore store = await OpenAsync(redis);
            List<JournalEntry> journal = await store.ReadAllAsync(s_issuer);
            Dictionary<string, long> durable = journal.ToDictionary(entry => entry.Event.Id, entry => entry.Position);
            Assert.All(acknowledged, ack => Assert.Equal(ack.Value, durable[ack.Key]));
            Assert.All(journal.Chunk(2), pair => Assert.Equal((pair[0].Event.Serial, EventKind.Issued, EventKind.Revoked), (pair[^1].Event.Serial, pair[0].Event.Kind, pair[^1].Event.Kind)));
            await store.AssertAgreesWithJournalAsync(s_issuer);
        }

        await using RedisConnection connection = await RedisConnection.OpenAsync(redis.Configuration);
        RedisAuditReport report = await RedisAudit.VerifyAsync(connection, verifier: null, progress: null, CancellationToken.None);
        Assert.True(report.IsAccepted, report.Issuers[0].FirstFinding?.ToString() ?? string.Join(" ", report.Structure));
        Assert.True(acknowledged.Count > 500, $"{acknowledged.Count} events only were acknowledged in {Rounds} rounds.");
    }

    // Four submitters, and with each submission one certificate that is issued and revoked: never one without the other.
    private static async Task SubmitUntilKilledAsync(RedisServer redis, int round, int acknowledgements, ConcurrentDictionary<string, long> acknowledged)
    {
        await using RedisRevocationStore store = await OpenAsync(redis);
        IssuerSequencer sequencer = new(s_issuer, store, new NoGateway(), TimeProvider.System);
        TaskCompletionSource enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int seen = 0;
        Task[] submitters = [.. Enumerable.Range(0, 4).Select(submitter => Task.Run(async () =>
        {
            for (int i = 0; ; i++)
            {
                string name = $"{round}-{submitter}-{i}";
                SerialNumber serial = SerialNumber.FromContent([0x01, .. System.Text.Encoding.ASCII.GetBytes(name)]);
                RevocationEvent issued = new() { Id = name + "-i", Serial = serial, Kind = EventKind.Issued, At = TimeProvider.System.GetUtcNow() };
                foreach (EventOutcome outcome in await sequencer.SubmitAsync([issued, issued with { Id = name + "-r", Kind = EventKind.Revoked }], CancellationToken.None))
                {
                    acknowledged[outcome.EventId] = outcome.Position;
                }

                if (Interlocked.Increment(ref seen) == acknowledgements)
                {
                    enough.SetResult();
                }
            }
        }))];

        await Task.WhenAny(enough.Task, Task.WhenAll(submitters)).WaitAsync(TimeSpan.FromSeconds(60));
        redis.Kill();
        foreach (Task submitter in submitters)
        {
            await Assert.ThrowsAsync<RevocationStoreException>(() => submitter.WaitAsync(TimeSpan.FromSeconds(60)));
        }
    }

    private static Task<RedisRevocationStore> OpenAsync(RedisServer redis) => RedisRevocationStore.OpenAsync(
        new RedisOptions { Configuration = redis.Configuration + ",asyncTimeout=1000" }, TimeProvider.System, CancellationToken.None);

    internal sealed class NoGateway : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
