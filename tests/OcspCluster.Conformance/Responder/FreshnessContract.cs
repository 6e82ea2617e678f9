using System.Collections.Concurrent;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>Acknowledged means everywhere, and for good (rule R63).</summary>
public abstract class FreshnessContract(SharedHosts shared) : ResponderContract(shared)
{
    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task R63_Revocation_Acknowledged_NoReaderSeesGoodAgain(string method)
    {
        IResponderHost host = await SharedAsync("fresh", Issuers.AlphaWith());
        byte[][] serials = [.. Enumerable.Range(0, 150).Select(_ => TestPki.RandomSerial())];
        await host.SubmitAsync("alpha", [.. serials.Select(serial => Events.Issued(serial))]);

        int revoked = 0;
        using CancellationTokenSource done = new();
        ConcurrentQueue<string> violations = new();
        int asked = 0;
        Task[] readers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(ReadAsync))];
        try
        {
            foreach (byte[] serial in serials)
            {
                await host.SubmitAsync("alpha", [Events.Revoked(serial, RevocationReason.KeyCompromise)]);
                Interlocked.Increment(ref revoked);
            }
        }
        finally
        {
            await done.CancelAsync();
            await Task.WhenAll(readers);
        }

        Assert.Empty(violations);
        Assert.True(asked > 0);

        async Task ReadAsync()
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
            do
            {
                // Around the border: the last that was acknowledged, and the one that is being revoked now.
                int acknowledged = Volatile.Read(ref revoked);
                for (int i = Math.Max(0, acknowledged - 2); i <= Math.Min(acknowledged, serials.Length - 1); i++)
                {
                    byte[] request = AskAlpha(serials[i]).Encode();
                    await connection.SendAsync(method == "GET" ? RawHttp.Request(host.OcspUri, "GET", "/" + GetTarget.Escaped(request)) : RawHttp.Post(host.OcspUri, request));
                    RawOcspResponse answer = (await connection.ReadResponseAsync()).Ocsp();
                    if (answer.Status == Questions.TryLater)
                    {
                        continue; // a silo whose lease lapsed on a busy machine says nothing for a moment; what it says is right
                    }

                    RawSingleResponse single = answer.MustBe(Questions.Successful).Singles[0];
                    Interlocked.Increment(ref asked);
                    if (i < acknowledged && single.Status != RawCertStatus.Revoked)
                    {
                        violations.Enqueue($"{single.Status} for certificate {i} after {acknowledged} were acknowledged as revoked");
                    }
                }
            }
            while (!done.IsCancellationRequested);
        }
    }

    [Fact]
    public async Task R63_Revocation_OfACachedGoodAnswer_EveryFormSaysRevoked()
    {
        IResponderHost host = await SharedAsync("fresh", Issuers.AlphaWith());
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial)]);
        RawCertId[] forms = [.. new[] { OcspOids.Sha1, OcspOids.Sha256, OcspOids.Sha384, OcspOids.Sha512 }
            .Select(hash => AlphaId(serial, hash))
            .SelectMany(certId => new[] { certId, certId with { Parameters = null } })];
        Assert.All(await AskAllFormsAsync(), status => Assert.Equal(RawCertStatus.Good, status));
        await host.SubmitAsync("alpha", [Events.Revoked(serial, RevocationReason.Superseded)]);
        Assert.All(await AskAllFormsAsync(), status => Assert.Equal(RawCertStatus.Revoked, status));

        async Task<List<RawCertStatus>> AskAllFormsAsync()
        {
            List<RawCertStatus> statuses = [];
            foreach (RawCertId form in forms)
            {
                statuses.Add((await host.AskOneAsync(form)).Status);
                statuses.Add((await host.GetAsync(RawOcspRequest.For(form))).Ocsp().Singles[0].Status);
                statuses.Add((await host.AskAsync(RawOcspRequest.For(form).WithNonce(new byte[16]))).Singles[0].Status);
            }

            return statuses;
        }
    }

    [Fact]
    public async Task R63_Revocation_OutlivesARestart()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial)]);
        await host.AskOneAsync(AlphaId(serial));
        await host.SubmitAsync("alpha", [Events.Revoked(serial, RevocationReason.CessationOfOperation)]);
        await host.RestartAsync();
        RawSingleResponse single = await host.AskOneAsync(AlphaId(serial));
        Assert.Equal((RawCertStatus.Revoked, 5), (single.Status, single.Reason));
        Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(Known.Good))).Status);
        (await host.AskAsync(AskAlpha(Known.Unissued))).MustBe(Questions.Unauthorized);
    }

    [Fact]
    public async Task R63_RevokedForGood_IsNotReleased()
    {
        IResponderHost host = await SharedAsync("fresh", Issuers.AlphaWith());
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial), Events.Revoked(serial, RevocationReason.KeyCompromise)]);

        // Refused by an exception or in the outcome; either way it stays revoked.
        await Record.ExceptionAsync(() => host.SubmitAsync("alpha", [Events.Released(serial, Known.RevokedAt.AddHours(1))]));
        RawSingleResponse single = await host.AskOneAsync(AlphaId(serial));
        Assert.Equal((RawCertStatus.Revoked, 1), (single.Status, single.Reason));
    }

    [Fact]
    public async Task R63_HeldThenRevoked_IsRevokedForTheNewReason()
    {
        IResponderHost host = await SharedAsync("fresh", Issuers.AlphaWith());
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial), Events.Held(serial)]);
        Assert.Equal(6, (await host.AskOneAsync(AlphaId(serial))).Reason);
        await host.SubmitAsync("alpha", [Events.Revoked(serial, RevocationReason.KeyCompromise)]);
        Assert.Equal(1, (await host.AskOneAsync(AlphaId(serial))).Reason);
    }
}
