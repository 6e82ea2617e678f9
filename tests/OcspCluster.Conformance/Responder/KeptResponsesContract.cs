using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>Signed answers outlive a restart and a small cache, and never the status that they were made from.</summary>
public abstract class KeptResponsesContract(SharedHosts shared) : ResponderContract(shared)
{
    [Theory]
    [InlineData("Asked")]
    [InlineData("All")]
    public async Task Restart_TheSameAnswersGoOn_InEveryForm(string presign)
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("Presign", presign)));
        RawOcspRequest[] requests = [AskAlpha(Known.Good), AskAlpha(Known.Revoked), AskAlpha(Known.Held), RawOcspRequest.For(AlphaId(Known.Good, OcspOids.Sha256))];
        string[] before = await TagsAsync(host, requests);
        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.RestartAsync();
        Assert.Equal(before, await TagsAsync(host, requests));
    }

    [Fact]
    public async Task Restart_WithOnDemand_NothingWasKept()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("Presign", "OnDemand")));
        string[] before = await TagsAsync(host, AskAlpha(Known.Good));
        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.RestartAsync();
        Assert.NotEqual(before, await TagsAsync(host, AskAlpha(Known.Good)));
    }

    [Fact]
    public async Task Restart_AfterARevocation_AnswersRevoked()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial)]);
        Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(serial))).Status);
        await host.SubmitAsync("alpha", [Events.Revoked(serial, RevocationReason.KeyCompromise)]);
        await host.RestartAsync(); // the file still has the answer from before
        Assert.Equal(RawCertStatus.Revoked, (await host.AskOneAsync(AlphaId(serial))).Status);
    }

    [Fact]
    public async Task Restart_HeldAndReleased_TheAnswerOfBeforeTheHoldIsNotGivenAgain()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial)]);
        string[] before = await TagsAsync(host, AskAlpha(serial));
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.SubmitAsync("alpha", [Events.Held(serial, host.Clock.GetUtcNow())]);
        await host.SubmitAsync("alpha", [Events.Released(serial, host.Clock.GetUtcNow())]);
        await host.RestartAsync();
        Assert.NotEqual(before, await TagsAsync(host, AskAlpha(serial))); // good again, but known to be so since later (RFC 6960 §2.4)
    }

    [Fact]
    public async Task Restart_AfterNextUpdate_SignsAnew()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        string[] before = await TagsAsync(host, AskAlpha(Known.Good));
        host.Clock.Advance(TimeSpan.FromDays(4));
        await host.RestartAsync();
        Assert.NotEqual(before, await TagsAsync(host, AskAlpha(Known.Good)));
    }

    [Fact]
    public async Task CacheSmallerThanTheSet_AnswersThatMadeRoom_AreFoundAgain()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith().With(("Ocsp:CacheBytes", "1048576")));
        byte[][] serials = [.. Enumerable.Range(0, 2000).Select(_ => TestPki.RandomSerial())];
        await host.SubmitAsync("alpha", [.. serials.Select(serial => Events.Issued(serial))]);
        RawOcspRequest[] requests = [.. serials.Select(serial => AskAlpha(serial))];
        string[] before = await TagsAsync(host, requests);
        host.Clock.Advance(TimeSpan.FromMinutes(10));
        string[] after = await TagsAsync(host, requests);
        Assert.Equal(2000, before.Distinct().Count());

        // What is written behind may be a moment late; a miss in that moment is signed anew.
        Assert.InRange(before.Zip(after).Count(pair => pair.First == pair.Second), 1900, 2000);
    }

    private static async Task<string[]> TagsAsync(IResponderHost host, params IEnumerable<RawOcspRequest> requests)
    {
        await host.SettleAsync();
        IReadOnlyList<RawHttpResponse> answers = await host.SendAllAsync(requests.Select(request => RawHttp.Request(host.OcspUri, "GET", "/" + GetTarget.Escaped(request.Encode()))));
        return [.. answers.Select(answer => answer.Header("ETag")!)];
    }
}
