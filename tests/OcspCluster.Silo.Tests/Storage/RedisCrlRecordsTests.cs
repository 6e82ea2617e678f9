using OcspCluster.Authority;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisCrlRecordsTests(SharedRedis redis) : IClassFixture<SharedRedis>
{
    private static readonly IssuerId s_ca = new("ca");

    [Fact]
    public async Task Record_OfEachScope_IsFoundByAnotherSilo()
    {
        await using RedisConnection connection = await RedisConnection.OpenAsync(redis.NewStore());
        RedisCrlRecords records = new(connection);
        CrlRecord whole = new()
        {
            Scope = "",
            Number = System.Numerics.BigInteger.Pow(2, 150),
            CompleteNumber = 7,
            ThisUpdate = new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero),
            NextUpdate = new DateTimeOffset(2026, 6, 8, 0, 0, 0, TimeSpan.Zero),
            Complete = Digest.Of([1]),
            TakenAt = new DateTimeOffset(2026, 6, 1, 1, 2, 3, 4, TimeSpan.Zero),
        };
        CrlRecord part = whole with { Scope = "0123456789abcdef", Number = null, CompleteNumber = null, Delta = Digest.Of([2]) };
        Assert.Null(await records.FindAsync(s_ca, "", CancellationToken.None));
        await records.SaveAsync(s_ca, whole);
        await records.SaveAsync(s_ca, part);

        RedisCrlRecords elsewhere = new(connection);
        Assert.Equal(whole, await elsewhere.FindAsync(s_ca, "", CancellationToken.None));
        Assert.Equal(part, await elsewhere.FindAsync(s_ca, "0123456789abcdef", CancellationToken.None));
        Assert.Null(await elsewhere.FindAsync(new IssuerId("other"), "", CancellationToken.None));

        await connection.Database.HashSetAsync(connection.Keys.Of(s_ca, "crls"), "", "{");
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await records.FindAsync(s_ca, "", CancellationToken.None));
    }
}
