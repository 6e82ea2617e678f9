using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Testing;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Conformance;

/// <summary>What every <see cref="IResponseStore"/> does. Derive it, and say how to open one and the same store again.</summary>
public abstract class ResponseStoreContract : IAsyncLifetime
{
    private static readonly IssuerId s_other = new("other");

    /// <summary>The store, open.</summary>
    protected IResponseStore Store { get; private set; } = null!;

    /// <summary>The clock that the store is to go by.</summary>
    protected TestClock Clock { get; } = new();

    /// <summary>Opens the store of this test: empty the first time, and with what was saved after each orderly disposal.</summary>
    protected abstract ValueTask<IResponseStore> OpenAsync();

    /// <summary>Removes what <see cref="OpenAsync"/> made.</summary>
    protected virtual ValueTask CleanAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync() => Store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await CleanAsync();
    }

    [Fact]
    public async Task Empty_HasNothing()
    {
        Assert.Empty(await FindAsync(Ca, 1));
        Assert.Empty(await ReadAllAsync(Ca));
        await Store.SaveAsync(Ca, [], CancellationToken.None);
        Assert.Empty(await ReadAllAsync(Ca));
    }

    [Fact]
    public async Task Save_EveryFormAndCredential_IsReadBackExactly()
    {
        KeptResponse[] all =
        [
            Response(1), Response(1, form: 2), Response(1, credential: 2) with { IsDefault = false }, Response(2) with { Position = long.MaxValue >> 24, Encoded = new byte[20_000] },
            Response(3) with { Encoded = new byte[] { 0 } },
        ];
        await Store.SaveAsync(Ca, all, CancellationToken.None);
        await Store.SaveAsync(s_other, [Response(1)], CancellationToken.None);
        for (int opened = 0; opened < 2; opened++)
        {
            AssertSame(all[..3], await FindAsync(Ca, 1));
            AssertSame([all[3]], await FindAsync(Ca, 2));
            AssertSame(all, await ReadAllAsync(Ca));
            AssertSame([Response(1)], await ReadAllAsync(s_other));
            await RestartAsync();
        }
    }

    [Fact]
    public async Task Save_SerialNumbersOfEveryShape_AreToldApart()
    {
        SerialNumber[] serials =
        [
            SerialNumber.FromInteger(0), SerialNumber.FromInteger(-1), SerialNumber.FromInteger(127), SerialNumber.FromInteger(128), SerialNumber.FromInteger(255), SerialNumber.FromInteger(256),
            SerialNumber.FromContent([0x7F, .. Enumerable.Repeat((byte)0, 19)]), SerialNumber.FromContent([0x80, .. Enumerable.Repeat((byte)0xFF, 19)]),
        ];
        KeptResponse[] all = [.. serials.Select((serial, i) => Response(serial, i))];
        await Store.SaveAsync(Ca, all, CancellationToken.None);
        foreach (KeptResponse one in all)
        {
            AssertSame([one], await Store.FindAsync(Ca, one.Serial, CancellationToken.None));
        }
    }

    [Fact]
    public async Task Save_AtTheSamePlace_Replaces()
    {
        await Store.SaveAsync(Ca, [Response(1), Response(2)], CancellationToken.None);
        KeptResponse newer = Response(1) with { Position = 9, IsDefault = false, ProducedAt = Response(1).ProducedAt.AddDays(1), ThisUpdate = Response(1).ThisUpdate.AddDays(1), NextUpdate = Response(1).NextUpdate.AddDays(1), Encoded = new byte[] { 9, 9 } };
        await Store.SaveAsync(Ca, [Response(1) with { Position = 8 }, newer], CancellationToken.None);
        AssertSame([newer], await FindAsync(Ca, 1));
        AssertSame([newer, Response(2)], await ReadAllAsync(Ca));
    }

    [Fact]
    public async Task Ended_OfASignerThatWasReplaced_GoesAsTheOtherSigns()
    {
        await Store.SaveAsync(Ca, [Response(1), Response(1, form: 2)], CancellationToken.None);
        Clock.Advance(TimeSpan.FromDays(2));
        await Store.SaveAsync(Ca, [Response(1, credential: 2)], CancellationToken.None);
        Clock.Advance(TimeSpan.FromDays(3));
        KeptResponse fresh = Response(1, credential: 2);
        await Store.SaveAsync(Ca, [fresh], CancellationToken.None);
        AssertSame([fresh], await FindAsync(Ca, 1));
        AssertSame([fresh], await ReadAllAsync(Ca));
        Clock.SetUtcNow(Clock.GetUtcNow().AddDays(-4));
        AssertSame([fresh], await FindAsync(Ca, 1)); // gone, and not only passed over
    }

    [Fact]
    public async Task Ended_MakeRoomAsOthersAreSaved_AndOthersStay()
    {
        await Store.SaveAsync(Ca, [.. Enumerable.Range(1, 1000).Select(i => Response(i))], CancellationToken.None);
        Clock.Advance(Response(1).NextUpdate - Clock.GetUtcNow() + TimeSpan.FromMinutes(1));
        KeptResponse[] fresh = [.. Enumerable.Range(5001, 1500).Select(i => Response(i))];
        foreach (KeptResponse[] batch in fresh.Chunk(100))
        {
            await Store.SaveAsync(Ca, batch, CancellationToken.None);
        }

        AssertSame(fresh, await ReadAllAsync(Ca));
    }

    [Fact]
    public async Task Read_WhileOthersWrite_LosesNothingThatStays()
    {
        KeptResponse[] all = [.. Enumerable.Range(1, 3000).Select(i => Response(i))];
        await Store.SaveAsync(Ca, all, CancellationToken.None);
        HashSet<SerialNumber> seen = [];
        await foreach (KeptResponse response in Store.ReadAsync(Ca, CancellationToken.None))
        {
            seen.Add(response.Serial);
            if (seen.Count % 1000 == 1)
            {
                await Store.SaveAsync(Ca, all[..500], CancellationToken.None);
                await Store.SaveAsync(s_other, all[..50], CancellationToken.None);
            }
        }

        Assert.Equal(3000, seen.Count);
    }

    [Fact]
    public async Task ManyAtOnce_EachReadsWhatItSaved()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (int i = 0; i < 50; i++)
            {
                int number = (worker * 1000) + i;
                await Store.SaveAsync(Ca, [Response(number)], CancellationToken.None);
                AssertSame([Response(number)], await FindAsync(Ca, number));
            }
        })));
        Assert.Equal(400, (await ReadAllAsync(Ca)).Count);
    }

    /// <summary>An answer; what it says is of no matter to a store.</summary>
    protected KeptResponse Response(int number, int form = 1, int credential = 1) => Response(Serial(number), number, form, credential);

    /// <summary>Closes the store and opens it again.</summary>
    protected async Task RestartAsync()
    {
        await Store.DisposeAsync();
        Store = await OpenAsync();
    }

    /// <summary>All of an issuer.</summary>
    protected async Task<List<KeptResponse>> ReadAllAsync(IssuerId issuer)
    {
        List<KeptResponse> all = [];
        await foreach (KeptResponse response in Store.ReadAsync(issuer, CancellationToken.None))
        {
            all.Add(response);
        }

        return all;
    }

    /// <summary>That the two are the same, octet by octet, in whatever order.</summary>
    protected static void AssertSame(IEnumerable<KeptResponse> expected, IEnumerable<KeptResponse> actual) =>
        Assert.Equal(expected.Select(Describe).Order(StringComparer.Ordinal), actual.Select(Describe).Order(StringComparer.Ordinal));

    private static string Describe(KeptResponse one) =>
        $"{one.Serial} {Convert.ToHexString(one.CertId.Span)} {one.Credential} {one.IsDefault} {one.Position} {one.ProducedAt:O} {one.ThisUpdate:O} {one.NextUpdate:O} {Convert.ToHexString(one.Encoded.Span)}";

    private KeptResponse Response(SerialNumber serial, int number, int form = 1, int credential = 1)
    {
        DateTimeOffset signed = DateTimeOffset.FromUnixTimeSeconds(Clock.GetUtcNow().ToUnixTimeSeconds());
        return new KeptResponse
        {
            Serial = serial,
            CertId = CertId.Create(CertIdHash.Sha1, new byte[20], Enumerable.Repeat((byte)form, 20).ToArray(), serial).Encoded,
            Credential = new Digest(Enumerable.Repeat((byte)credential, Digest.SizeInBytes).ToArray()),
            IsDefault = true,
            Position = number + 1,
            ProducedAt = signed,
            ThisUpdate = signed,
            NextUpdate = signed.AddDays(4).AddSeconds(-1),
            Encoded = BitConverter.GetBytes(number * 31),
        };
    }

    private ValueTask<IReadOnlyList<KeptResponse>> FindAsync(IssuerId issuer, int serial) => Store.FindAsync(issuer, Serial(serial), CancellationToken.None);
}
