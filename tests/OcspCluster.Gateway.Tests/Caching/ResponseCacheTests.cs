using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests;

public sealed class ResponseCacheTests
{
    [Fact]
    public async Task Cache_Full_KeepsItsBoundAndWhatIsUsed()
    {
        ResponderUnderTest test = new(options: new OcspGatewayOptions { CacheBytes = 200_000 });
        test.Source.Find = _ => CertificateStatus.Good with { HoldsFor = Timeout.InfiniteTimeSpan };
        byte[] favourite = ResponderUnderTest.Ask(ResponderUnderTest.Serial);
        for (int i = 1; i <= 1000; i++)
        {
            await test.AnswerAsync(favourite);
            await test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.FromInteger(1_000_000 + i)));
        }

        Assert.InRange(test.Cache.Bytes, 100_000, 200_000);
        Assert.InRange(test.Cache.Count, 50, 600);
        int signatures = test.Signer.Signatures;
        await test.AnswerAsync(favourite);
        Assert.Equal(signatures, test.Signer.Signatures);
    }

    [Fact]
    public async Task Forget_DropsEveryFormOfACertId()
    {
        ResponderUnderTest test = new();
        test.Source.Find = _ => CertificateStatus.Good with { HoldsFor = Timeout.InfiniteTimeSpan };
        byte[][] forms = [.. from hash in CertIdHash.All
                             from hasNull in Enumerable.Range(0, 2).Select(i => i == 0)
                             select new OcspRequestBuilder().Add(CertId.Create(OcspCluster.Conformance.Issuers.Alpha.Certificate, ResponderUnderTest.Serial, hash, hasNull)).Build().Encoded.ToArray()];
        foreach (byte[] form in forms)
        {
            await test.AnswerAsync(form);
        }

        Assert.Equal(1, test.Cache.Count);
        Assert.Equal(forms.Length, test.Signer.Signatures);
        DateTimeOffset revokedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        test.Source.Find = _ => CertificateStatus.RevokedAt(revokedAt) with { HoldsFor = Timeout.InfiniteTimeSpan };
        test.Cache.Forget(ResponderUnderTest.Id, ResponderUnderTest.Serial);
        Assert.Equal(0, test.Cache.Bytes);
        foreach (byte[] form in forms)
        {
            Assert.Equal(CertStatus.Revoked(revokedAt), await test.StatusAsync(form));
        }
    }

    [Fact]
    public async Task Forget_AllTheTime_LeavesNothingBehind()
    {
        ResponderUnderTest test = new();
        for (int i = 1; i <= 5000; i++)
        {
            SerialNumber serial = SerialNumber.FromInteger(i);
            await test.AnswerAsync(ResponderUnderTest.Ask(serial));
            test.Cache.Forget(ResponderUnderTest.Id, serial);
        }

        Assert.Equal(0, test.Cache.Count);
        Assert.Equal(0, test.Cache.Bytes);
    }

    // Store and Hold guard each other in the responder: each must hold by itself.
    [Fact]
    public async Task Store_AfterForget_StoresNothing()
    {
        ResponderUnderTest test = new();
        (CachedResponse cached, CertId certId, long before) = await CacheOneAsync(test);
        test.Cache.Forget(ResponderUnderTest.Id, certId.SerialNumber);
        Assert.Null(test.Cache.Store(ResponderUnderTest.Id, certId.SerialNumber, before, cached));
        Assert.Null(test.Cache.Find(ResponderUnderTest.Id, certId));

        long now = test.Cache.VersionOf(ResponderUnderTest.Id, certId.SerialNumber);
        Assert.Same(cached, test.Cache.Store(ResponderUnderTest.Id, certId.SerialNumber, now, cached));
        Assert.Equal(cached.Response.Encoded.ToArray(), test.Cache.Find(ResponderUnderTest.Id, certId)!.Response.Encoded.ToArray());
    }

    [Fact]
    public async Task Hold_AfterForget_HoldsNothing()
    {
        ResponderUnderTest test = new();
        (CachedResponse cached, CertId certId, long before) = await CacheOneAsync(test);
        test.Cache.Forget(ResponderUnderTest.Id, certId.SerialNumber);
        Assert.False(test.Cache.Hold(ResponderUnderTest.Id, certId.SerialNumber, before, cached, long.MaxValue));
        Assert.False(cached.IsHeld(test.Clock.GetTimestamp()));

        long now = test.Cache.VersionOf(ResponderUnderTest.Id, certId.SerialNumber);
        Assert.True(test.Cache.Hold(ResponderUnderTest.Id, certId.SerialNumber, now, cached, long.MaxValue));
        Assert.True(cached.IsHeld(test.Clock.GetTimestamp()));
    }

    // Between an event's becoming durable and Forget: whoever was told the new status must not hear the old one afterwards, in whatever form he asks.
    [Fact]
    public async Task Store_OfALaterPosition_DropsTheFormsOfEarlierOnesAndKeepsThemOut()
    {
        ResponderUnderTest test = new();
        test.Source.Find = _ => CertificateStatus.Good with { Position = 1, HoldsFor = Timeout.InfiniteTimeSpan };
        (CachedResponse good, CertId bySha1, long version) = await CacheOneAsync(test);

        DateTimeOffset revokedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        test.Source.Find = _ => CertificateStatus.RevokedAt(revokedAt) with { Position = 2, HoldsFor = Timeout.InfiniteTimeSpan };
        byte[] bySha256 = new OcspRequestBuilder().Add(CertId.Create(OcspCluster.Conformance.Issuers.Alpha.Certificate, ResponderUnderTest.Serial, CertIdHash.Sha256)).Build().Encoded.ToArray();
        Assert.Equal(CertStatus.Revoked(revokedAt), await test.StatusAsync(bySha256));

        Assert.Null(test.Cache.Find(ResponderUnderTest.Id, bySha1));
        Assert.Null(test.Cache.Store(ResponderUnderTest.Id, bySha1.SerialNumber, version, good)); // its maker read the status before
        Assert.Equal(CertStatus.Revoked(revokedAt), await test.StatusAsync(ResponderUnderTest.Ask(ResponderUnderTest.Serial)));
    }

    [Fact]
    public async Task Clear_DropsAll()
    {
        ResponderUnderTest test = new();
        for (int i = 1; i <= 100; i++)
        {
            await test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.FromInteger(i)));
        }

        Assert.Equal(100, test.Cache.Count);
        test.Cache.Clear();
        Assert.Equal(0, test.Cache.Count);
        Assert.Equal(0, test.Cache.Bytes);
    }

    // Writers miss and store, a publisher raises the truth and forgets: what is answered after Forget has returned is never older than that.
    [Fact]
    public async Task Forget_WhileManyAsk_NothingOlderIsAnsweredAfterwards()
    {
        ResponderUnderTest test = new();
        long truth = 0;
        test.Source.Find = _ => CertificateStatus.RevokedAt(DateTimeOffset.UnixEpoch.AddSeconds(Volatile.Read(ref truth))) with { HoldsFor = Timeout.InfiniteTimeSpan };
        using CancellationTokenSource done = new(TimeSpan.FromSeconds(60));
        long published = 0;
        int answers = 0;
        Task[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                long before = Volatile.Read(ref published);
                OcspReply reply = await test.AnswerAsync();
                if (reply.Outcome == OcspOutcome.Answered)
                {
                    CertStatus.RevokedStatus status = (CertStatus.RevokedStatus)OcspResponse.Decode(reply.Body).Basic!.Data.Responses[0].Status;
                    Assert.True(status.RevocationTime.ToUnixTimeSeconds() >= before, $"answered {status.RevocationTime.ToUnixTimeSeconds()} after {before} was published");
                    Interlocked.Increment(ref answers);
                }
            }
        }))];
        for (int i = 1; (i <= 2000 || Volatile.Read(ref answers) < 1000) && !done.IsCancellationRequested; i++)
        {
            Volatile.Write(ref truth, i);
            test.Cache.Forget(ResponderUnderTest.Id, ResponderUnderTest.Serial);
            Volatile.Write(ref published, i);
            await Task.Yield();
        }

        await done.CancelAsync();
        await Task.WhenAll(clients);
        Assert.True(answers >= 1000, $"only {answers} answers in a minute");
    }

    private static async Task<(CachedResponse Cached, CertId CertId, long Version)> CacheOneAsync(ResponderUnderTest test)
    {
        byte[] request = ResponderUnderTest.Ask(ResponderUnderTest.Serial);
        Assert.Equal(OcspOutcome.Answered, (await test.AnswerAsync(request)).Outcome);
        CertId certId = OcspRequest.Decode(request).Requests[0].CertId;
        return (test.Cache.Find(ResponderUnderTest.Id, certId)!, certId, test.Cache.VersionOf(ResponderUnderTest.Id, certId.SerialNumber));
    }
}
