using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>Purges: a cache forgets every key under which it may have the old answer, once the new one is given.</summary>
public abstract class PurgeContract(SharedHosts shared) : DeliveryContract(shared), IDisposable
{
    private const string Public = "http://ocsp.example.com/alpha";

    private readonly ScratchDirectory _directory = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Keys_OfARevokedSerial_AreThoseThatClientsAskFor_AndTheGatewayAnswersEachAnew()
    {
        await using RecordingReceiver cache = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(cache, ("Purge:edge:Kinds", "revoked"), ("Ocsp:PathPrefixes", "/alpha"));
        await DrainAsync(host, cache);

        // Serials until the base64 has had every character that clients spell in several ways.
        HashSet<char> seen = [];
        while (!seen.IsSupersetOf("/+="))
        {
            string serial = Convert.ToHexString(TestPki.RandomSerial());
            await host.SubmitAsync("alpha", [Events.Issued(Octets(serial))]);
            foreach (byte[] request in RequestsFor(serial))
            {
                // What is asked before is cached by us, too: it must not come back afterwards.
                Assert.Equal(RawCertStatus.Good, Assert.Single((await host.GetAsync("/alpha/" + GetTarget.Escaped(request))).Ocsp().MustBe(Questions.Successful).Singles).Status);
            }

            Assert.Equal(["applied"], (await PostAsync(host, Json("revoke-" + serial, serial, "revoked", "\"reason\":1"))).Outcomes);
            List<ReceivedRequest> purges = await DrainAsync(host, cache);
            Assert.All(purges, purge => Assert.Equal(("PURGE", "ocsp.example.com"), (purge.Method, purge.Host)));
            HashSet<string> targets = [.. purges.Select(purge => purge.Target)];
            Assert.Equal(purges.Count, targets.Count);
            foreach (byte[] request in RequestsFor(serial))
            {
                seen.UnionWith(Convert.ToBase64String(request));
                foreach (string spelling in new[] { "escaped", "escaped-lower", "raw", "only-slash-escaped" })
                {
                    Assert.Contains("/alpha/" + GetTarget.All[spelling](request), targets);
                }

                string base64 = Convert.ToBase64String(request);
                Assert.Contains("/alpha/" + base64.Replace("+", "%2B", StringComparison.Ordinal).Replace("=", "%3D", StringComparison.Ordinal), targets); // urllib.parse.quote
                Assert.Contains("/alpha/" + base64.Replace("/", "%2F", StringComparison.Ordinal).Replace("+", "%2B", StringComparison.Ordinal), targets);
            }

            foreach (string target in targets)
            {
                RawSingleResponse single = Assert.Single((await host.GetAsync(target)).Ocsp().MustBe(Questions.Successful).Singles);
                Assert.Equal((RawCertStatus.Revoked, serial), (single.Status, Convert.ToHexString(single.Serial)));
            }
        }
    }

    [Fact]
    public async Task Keys_HaveWhatOpenSslAsks()
    {
        Assert.SkipWhen(ExternalTool.Find("openssl") is null, "This machine has no openssl.");
        await using RecordingReceiver cache = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(cache, ("Purge:edge:Kinds", "revoked"));
        await DrainAsync(host, cache);
        using OpenSsl openSsl = new();
        openSsl.Write("ca.pem", Issuers.Alpha.Certificate.ExportCertificatePem());
        for (int i = 0; i < 10; i++)
        {
            byte[] octets = TestPki.RandomSerial();
            await host.SubmitAsync("alpha", [Events.Revoked(octets)]);
            HashSet<string> targets = [.. (await DrainAsync(host, cache)).Select(purge => purge.Target)];
            foreach (string hash in new[] { "sha1", "sha256", "sha384", "sha512" })
            {
                openSsl.Run($"ocsp -issuer ca.pem -{hash} -serial 0x{Convert.ToHexString(octets)} -no_nonce -reqout request.der");
                string target = "/alpha/" + Uri.EscapeDataString(Convert.ToBase64String(openSsl.Read("request.der")));
                Assert.Contains(target, targets);
            }
        }
    }

    [Fact]
    public async Task Purge_ComesWhenTheGatewayAnswersAnew()
    {
        await using RecordingReceiver cache = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(cache, ("Purge:edge:Kinds", "revoked"), ("Ocsp:PathPrefixes", "/alpha"), ("Purge:edge:RequestsPerSecond", "10000"));
        await DrainAsync(host, cache);
        List<RawCertStatus> refilled = [];
        cache.Answer = async (purge, _) =>
        {
            RawCertStatus status = (await host.GetAsync(purge.Target)).Ocsp().Singles[0].Status; // a cache that fetches at once
            lock (refilled)
            {
                refilled.Add(status);
            }

            return new ReceiverAnswer(200);
        };
        string serial = NewSerial();
        await host.SubmitAsync("alpha", [Events.Issued(Octets(serial))]);
        foreach (byte[] request in RequestsFor(serial))
        {
            (await host.GetAsync("/alpha/" + GetTarget.Escaped(request))).Ocsp();
        }

        await PostAsync(host, Json("revoke-" + serial, serial, "revoked", "\"reason\":1"));
        await DrainAsync(host, cache);
        Assert.NotEmpty(refilled);
        Assert.All(refilled, status => Assert.Equal(RawCertStatus.Revoked, status));
    }

    [Fact]
    public async Task Json_ListsTheKeysInChunks_WithItsHeadersAndAuthorization()
    {
        const string Token = "Bearer 0123456789-hush";
        await using RecordingReceiver api = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(
            api, ("Purge:edge:Kinds", "revoked"), ("Purge:edge:Style", "Json"), ("Purge:edge:ChunkSize", "17"), ("Purge:edge:Headers:X-Zone", "z1"),
            ("Purge:edge:Body", """{"files":$urls,"paths":$paths,"soft":true}"""), ("Purge:edge:AuthorizationFile", WriteSecret(_directory, "token", Token)));
        await DrainAsync(host, api);
        string serial = await RevokeAsync(host);
        List<string> urls = [];
        foreach (ReceivedRequest request in await DrainAsync(host, api))
        {
            Assert.Equal(("POST", "/purge", Token, "z1", "application/json"), (request.Method, request.Target, request.Headers["Authorization"], request.Headers["X-Zone"], request.Headers["Content-Type"]));
            JsonElement body = JsonDocument.Parse(request.Body).RootElement;
            string[] files = [.. body.GetProperty("files").EnumerateArray().Select(one => one.GetString()!)];
            Assert.InRange(files.Length, 1, 17);
            Assert.Equal(files, body.GetProperty("paths").EnumerateArray().Select(one => "http://ocsp.example.com" + one.GetString()));
            Assert.True(body.GetProperty("soft").GetBoolean());
            urls.AddRange(files);
        }

        Assert.Equal(urls.Count, urls.Distinct().Count());
        Assert.All(RequestsFor(serial), request => Assert.Contains(Public + "/" + GetTarget.Escaped(request), urls));
        string shown = (await SendAsync(host, HttpMethod.Get, "/v1/webhooks", host.CreateKey("operator"))).Body;
        Assert.DoesNotContain("hush", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cache_ThatIsAway_IsPurgedOfEverythingWhenItIsBack()
    {
        await using RecordingReceiver cache = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(cache, ("Purge:edge:Kinds", "revoked"));
        await DrainAsync(host, cache);
        cache.Status = 503;
        List<string> serials = [];
        for (int i = 0; i < 5; i++)
        {
            serials.Add(await RevokeAsync(host));
        }

        JsonElement state = await UntilAsync(host, "edge", one => one.GetProperty("failures").GetInt32() > 0);
        Assert.Equal(("purge", "retrying", "answered 503"), (state.GetProperty("kind").GetString(), state.GetProperty("state").GetString(), state.GetProperty("lastFailure").GetString()));
        cache.Status = 200;
        HashSet<string> targets = [.. (await DrainAsync(host, cache)).Select(purge => purge.Target)];
        Assert.All(serials.SelectMany(RequestsFor), request => Assert.Contains("/alpha/" + GetTarget.Escaped(request), targets));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("404;412", true)]
    public async Task NotCached_IsSuccessWhereItIsSaidSo(string? statuses, bool isSuccess)
    {
        await using RecordingReceiver cache = await RecordingReceiver.StartAsync();
        cache.Status = 404;
        IAuthorityHost host = await HostAsync(cache, statuses is null ? [] : [("Purge:edge:NotCached", statuses)]);
        JsonElement state = await UntilAsync(host, "edge", one => one.GetProperty("failures").GetInt32() > 0 || one.GetProperty("lagEntries").GetInt64() == 0);
        Assert.Equal(isSuccess, state.GetProperty("lagEntries").GetInt64() == 0);
        Assert.Equal(!isSuccess, state.GetProperty("failures").GetInt32() > 0);
    }

    [Theory]
    [InlineData("00:00:00", false)]
    [InlineData("00:10:00", true)]
    public async Task Issued_IsPurged_WhereUnauthorizedMayBeCached(string unauthorizedMaxAge, bool isPurged)
    {
        await using RecordingReceiver cache = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(cache, ("Ocsp:UnauthorizedMaxAge", unauthorizedMaxAge));
        await DrainAsync(host, cache);
        string serial = NewSerial();
        await host.SubmitAsync("alpha", [Events.Issued(Octets(serial))]);
        string serialOfARevoked = await RevokeAsync(host);
        HashSet<string> targets = [.. (await DrainAsync(host, cache)).Select(purge => purge.Target)];
        Assert.All(RequestsFor(serialOfARevoked), request => Assert.Contains("/alpha/" + GetTarget.Escaped(request), targets));
        Assert.All(RequestsFor(serial), request => Assert.Equal(isPurged, targets.Contains("/alpha/" + GetTarget.Escaped(request))));
    }

    [Fact]
    public async Task Rate_IsKept()
    {
        await using RecordingReceiver cache = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(cache, ("Purge:edge:RequestsPerSecond", "5"), ("Purge:edge:Kinds", "held")); // one of the seeded
        for (int i = 0; i < 5; i++)
        {
            await cache.ReadAsync(); // a second's worth at once
        }

        await UntilAsync(host, "edge", one => one.GetProperty("lagEntries").GetInt64() > 0);
        Assert.False(cache.HasMore);
        host.Clock.Advance(TimeSpan.FromMilliseconds(200));
        await cache.ReadAsync();
    }

    private static IEnumerable<byte[]> RequestsFor(string serial)
    {
        foreach (string oid in new[] { OcspOids.Sha1, OcspOids.Sha256, OcspOids.Sha384, OcspOids.Sha512 })
        {
            RawCertId certId = AlphaId(Octets(serial), oid);
            yield return RawOcspRequest.For(certId).Encode();
            yield return RawOcspRequest.For(certId with { Parameters = null }).Encode();
        }
    }

    private Task<IAuthorityHost> HostAsync(RecordingReceiver cache, params (string Key, string Value)[] more) => OwnAuthorityAsync([
        ("Purge:edge:Issuers", "alpha"), ("Purge:edge:PublicUrls", Public), ("Purge:edge:RequestsPerSecond", "10000"),
        ("Purge:edge:Url", more.Contains(("Purge:edge:Style", "Json")) ? new Uri(cache.Uri, "/purge").ToString() : cache.Uri.ToString()), .. more]);

    // What was received until nothing is left to deliver.
    private static async Task<List<ReceivedRequest>> DrainAsync(IAuthorityHost host, RecordingReceiver cache)
    {
        for (int i = 0; (await StateAsync(host, "edge")).GetProperty("lagEntries").GetInt64() > 0; i++)
        {
            Assert.True(i < 10_000, "It is never done.");
            host.Clock.Advance(TimeSpan.FromMilliseconds(100));
        }

        List<ReceivedRequest> received = [];
        while (cache.HasMore)
        {
            received.Add(await cache.ReadAsync());
        }

        return received;
    }
}
