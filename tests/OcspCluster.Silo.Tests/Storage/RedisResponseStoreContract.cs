using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Silo.Refresh;
using OcspCluster.Silo.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisResponseStoreContract(SharedRedis redis) : ResponseStoreContract, IClassFixture<SharedRedis>
{
    private readonly RedisOptions _options = redis.NewStore();

    [Fact]
    public async Task Ended_AreGoneFromRedis_WithTheirIndex()
    {
        await Store.SaveAsync(Ca, [.. Enumerable.Range(1, 500).Select(number => Response(number))], CancellationToken.None);
        Clock.Advance(TimeSpan.FromDays(5));
        await Store.SaveAsync(Ca, [.. Enumerable.Range(10_001, 1000).Select(number => Response(number))], CancellationToken.None);
        await using RedisConnection connection = await RedisConnection.OpenAsync(_options);
        long indexed = 0;
        for (int partition = 0; partition < SerialPartitions.Count; partition++)
        {
            indexed += await connection.Database.SortedSetLengthAsync(connection.Keys.Of(Ca, $"kept:{partition}"));
        }

        Assert.Equal(1000, indexed);
        for (int number = 1; number <= 500; number++)
        {
            Assert.False(await connection.Database.KeyExistsAsync(connection.Keys.Of(Ca, "answers:").Append(Serial(number).Content.ToArray())));
        }

        // And by themselves, if nobody saves any more.
        TimeSpan? left = await connection.Database.KeyTimeToLiveAsync(connection.Keys.Of(Ca, "answers:").Append(Serial(10_001).Content.ToArray()));
        Assert.InRange(left!.Value, TimeSpan.FromDays(3.9), TimeSpan.FromDays(4.1));
    }

    // Of an issuer that is answered for no more nobody saves: Redis has to forget all of it by itself.
    [Fact]
    public async Task Index_EndsWithTheLastAnswerInIt()
    {
        await using RedisConnection connection = await RedisConnection.OpenAsync(_options);
        StackExchange.Redis.RedisKey index = connection.Keys.Of(Ca, $"kept:{SerialPartitions.Of(Serial(1))}");
        await Store.SaveAsync(Ca, [Response(1)], CancellationToken.None);
        TimeSpan? first = await connection.Database.KeyTimeToLiveAsync(index);
        await Store.SaveAsync(Ca, [Response(1) with { NextUpdate = Response(1).NextUpdate.AddDays(3) }], CancellationToken.None);
        TimeSpan? longer = await connection.Database.KeyTimeToLiveAsync(index);
        await Store.SaveAsync(Ca, [Response(1)], CancellationToken.None);
        TimeSpan? still = await connection.Database.KeyTimeToLiveAsync(index);

        Assert.InRange(first!.Value, TimeSpan.FromDays(3.9), TimeSpan.FromDays(4.1));
        Assert.InRange(longer!.Value, TimeSpan.FromDays(6.9), TimeSpan.FromDays(7.1));
        Assert.InRange(still!.Value, TimeSpan.FromDays(6.9), TimeSpan.FromDays(7.1));
    }

    [Fact]
    public async Task Damaged_IsAsIfItWereNotThere()
    {
        await Store.SaveAsync(Ca, [Response(1)], CancellationToken.None);
        await using RedisConnection connection = await RedisConnection.OpenAsync(_options);
        StackExchange.Redis.RedisKey key = connection.Keys.Of(Ca, "answers:").Append(Serial(1).Content.ToArray());
        StackExchange.Redis.HashEntry field = Assert.Single(await connection.Database.HashGetAllAsync(key));
        byte[] value = field.Value!;
        for (int i = 0; i < value.Length; i++)
        {
            byte[] damaged = [.. value];
            damaged[i] ^= 0x40;
            await connection.Database.HashSetAsync(key, field.Name, damaged);
            Assert.Empty(await Store.FindAsync(Ca, Serial(1), CancellationToken.None));
        }
    }

    protected override async ValueTask<IResponseStore> OpenAsync()
    {
        await using RedisConnection connection = await RedisConnection.OpenAsync(_options);
        return await RedisResponseStore.OpenAsync(connection, Clock);
    }
}
