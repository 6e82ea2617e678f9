using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using OcspCluster.Protocol;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>Cache headers and conditional requests (rules H21–H29).</summary>
public abstract partial class CachingContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly RawOcspRequest s_good = AskAlpha(Known.Good);

    [Fact]
    public async Task H21_GetSuccess_HasAllCacheHeaders()
    {
        RawHttpResponse response = await (await DefaultAsync()).GetAsync(s_good);
        foreach (string header in new[] { "Last-Modified", "ETag", "Expires", "Cache-Control", "Date" })
        {
            Assert.Single(response.All(header));
        }

        RawOcspResponse answer = response.Ocsp();
        Assert.Equal(Time(response, "Last-Modified"), answer.ProducedAtTime);
        Assert.Equal(answer.ProducedAtTime, answer.Singles[0].ThisUpdateTime);
    }

    [Fact]
    public async Task H22_CacheControl_MaxAgePublicNoTransformMustRevalidate()
    {
        RawHttpResponse response = await (await DefaultAsync()).GetAsync(s_good);
        Assert.Matches("^max-age=[0-9]+, public, no-transform, must-revalidate$", response.Header("Cache-Control")!);
    }

    [Fact]
    public async Task H23_MaxAge_RecomputedPerReply_NeverReachesNextUpdate()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("Validity", "08:00:00"), ("MaxAge", "02:00:00")));
        for (int i = 0; i < 60; i++)
        {
            RawHttpResponse response = await host.GetAsync(s_good);
            DateTimeOffset nextUpdate = response.Ocsp().Singles[0].NextUpdateTime!.Value;
            Assert.InRange(response.MaxAge!.Value, 0, 7200);
            Assert.True(host.Clock.GetUtcNow().AddSeconds(response.MaxAge.Value) < nextUpdate, $"max-age {response.MaxAge} at {host.Clock.GetUtcNow():O}, nextUpdate {nextUpdate:O}");
            Assert.Equal(nextUpdate, Time(response, "Expires"));
            host.Clock.Advance(TimeSpan.FromMinutes(17));
        }
    }

    [Fact]
    public async Task H23_MaxAge_BoundedBySetting()
    {
        Assert.InRange((await (await DefaultAsync()).GetAsync(s_good)).MaxAge!.Value, 1, 3600);
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("MaxAge", "00:05:00")));
        Assert.InRange((await host.GetAsync(s_good)).MaxAge!.Value, 1, 300);
    }

    [Fact]
    public async Task H24_ETag_IsTheSha256OfTheAnswer()
    {
        IResponderHost host = await DefaultAsync();
        foreach (byte[] serial in new[] { Known.Good, Known.Revoked, Known.Held })
        {
            RawHttpResponse response = await host.GetAsync(AskAlpha(serial));
            Assert.Equal($"\"{Convert.ToHexString(SHA256.HashData(response.Body))}\"", response.Header("ETag"), ignoreCase: true);
        }
    }

    [Fact]
    public async Task H25_Dates_AreImfFixdate()
    {
        RawHttpResponse response = await (await DefaultAsync()).GetAsync(s_good);
        foreach (string header in new[] { "Date", "Expires", "Last-Modified" })
        {
            string value = response.Header(header)!;
            Assert.Matches(ImfFixdate(), value);

            // The day of the week must be that day's: "r" writes it again from the date.
            Assert.Equal(value, Time(response, header).ToString("r", CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public async Task H26_AuthoritativeAnswer_NoNoCacheNoNoStoreNoPragma()
    {
        IResponderHost host = await DefaultAsync();
        foreach (byte[] serial in new[] { Known.Good, Known.Revoked, Known.Held })
        {
            RawHttpResponse response = await host.GetAsync(AskAlpha(serial));
            Assert.DoesNotContain("no-cache", response.List("Cache-Control"));
            Assert.DoesNotContain("no-store", response.List("Cache-Control"));
            Assert.DoesNotContain("private", response.List("Cache-Control"));
            Assert.Empty(response.All("Pragma"));
            Assert.Empty(response.All("Vary"));
        }
    }

    [Fact]
    public async Task H26_ClientsNoCache_DoesNotSignAgain()
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse first = await host.GetAsync(s_good);
        RawHttpResponse second = await host.GetAsync(s_good, "Cache-Control: no-cache, no-store, max-age=0", "Pragma: no-cache");
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(first.Header("Cache-Control"), second.Header("Cache-Control"));
    }

    [Fact]
    public async Task H27_UnsignedErrors_NoStore()
    {
        IResponderHost host = await DefaultAsync();
        foreach (RawHttpResponse response in new[]
        {
            await host.GetAsync("/MA=="),
            await host.GetAsync(AskAlpha(Known.Unissued)),
            await host.PostAsync([]),
            await host.PostAsync(AskAlpha(Known.Unissued).Encode()),
        })
        {
            Assert.NotEqual(Successful, response.Ocsp().Status);
            Assert.Contains("no-store", response.List("Cache-Control"));
            foreach (string header in new[] { "ETag", "Expires", "Last-Modified" })
            {
                Assert.Empty(response.All(header));
            }
        }
    }

    [Fact]
    public async Task H27_SignedUnknown_ShortMaxAge()
    {
        IResponderHost host = await SharedAsync("unknown", Issuers.AlphaWith(("Unissued", "Unknown")));
        RawHttpResponse response = await host.GetAsync(AskAlpha(Known.Unissued));
        Assert.Equal(RawCertStatus.Unknown, response.Ocsp().MustBe(Successful).Singles[0].Status);
        Assert.InRange(response.MaxAge!.Value, 0, 300);
        Assert.DoesNotContain("no-store", response.List("Cache-Control"));
    }

    [Fact]
    public async Task H28_NoncedGet_NotStored_SignedEachTime()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspRequest nonced = s_good.WithNonce(RandomNumberGenerator.GetBytes(16));
        RawHttpResponse first = await host.GetAsync(nonced);
        RawHttpResponse second = await host.GetAsync(nonced);
        foreach (RawHttpResponse response in new[] { first, second })
        {
            Assert.True(response.MaxAge == 0 || response.List("Cache-Control").Contains("no-store"), response.Header("Cache-Control"));
        }

        Assert.NotEqual(first.Ocsp().MustBe(Successful).Signature, second.Ocsp().Signature);
        Assert.Equal(first.Ocsp().Nonce, second.Ocsp().Nonce);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("W/{0}")]
    [InlineData("\"x\", {0}")]
    [InlineData("\"a,b\",W/{0} , \"y\"")]
    [InlineData("*")]
    public async Task H29_IfNoneMatch_Hit_304WithHeaders(string form)
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse full = await host.GetAsync(s_good);
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
        string target = "/" + GetTarget.Escaped(s_good.Encode());
        string condition = "If-None-Match: " + form.Replace("{0}", full.Header("ETag"), StringComparison.Ordinal);
        await connection.SendAsync(RawHttp.Request(host.OcspUri, "GET", target, condition));
        RawHttpResponse notModified = await connection.ReadResponseAsync();
        Assert.Equal(304, notModified.StatusCode);
        foreach (string header in new[] { "ETag", "Cache-Control", "Expires" })
        {
            Assert.Equal(full.Header(header), notModified.Header(header));
        }

        Assert.NotNull(notModified.Header("Date"));

        // No body followed, and HEAD is conditional too.
        await connection.SendAsync(RawHttp.Request(host.OcspUri, "HEAD", target, condition));
        Assert.Equal(304, (await connection.ReadResponseAsync(toHead: true)).StatusCode);
    }

    [Theory]
    [InlineData("\"0000\"")]
    [InlineData("\"\"")]
    [InlineData("W/\"x\", \"y\"")]
    [InlineData("nonsense")]
    [InlineData("\"unterminated")]
    public async Task H29_IfNoneMatch_Miss_Full(string value)
    {
        IResponderHost host = await DefaultAsync();
        Assert.Equal(200, (await host.GetAsync(s_good, "If-None-Match: " + value)).StatusCode);

        // If-Modified-Since does not count beside it.
        RawHttpResponse full = await host.GetAsync(s_good);
        Assert.Equal(200, (await host.GetAsync(s_good, "If-None-Match: " + value, "If-Modified-Since: " + full.Header("Last-Modified"))).StatusCode);
    }

    [Fact]
    public async Task H29_IfModifiedSince_NotModifiedSinceLastModified()
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse full = await host.GetAsync(s_good);
        DateTimeOffset lastModified = Time(full, "Last-Modified");
        Assert.Equal(304, (await host.GetAsync(s_good, "If-Modified-Since: " + full.Header("Last-Modified"))).StatusCode);
        Assert.Equal(200, (await host.GetAsync(s_good, "If-Modified-Since: " + lastModified.AddSeconds(-1).ToString("r", CultureInfo.InvariantCulture))).StatusCode);
        Assert.Equal(200, (await host.GetAsync(s_good, "If-Modified-Since: yesterday")).StatusCode);
    }

    [Fact]
    public async Task H29_ConditionsOnPostAndOnErrors_DoNotCount()
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse full = await host.GetAsync(s_good);
        Assert.Equal(200, (await host.PostAsync(s_good.Encode(), "If-Modified-Since: " + full.Header("Last-Modified"))).StatusCode);
        Assert.Equal(200, (await host.GetAsync("/MA==", "If-None-Match: *")).StatusCode);
        Assert.Equal(200, (await host.GetAsync(AskAlpha(Known.Unissued), "If-Modified-Since: " + full.Header("Last-Modified"))).StatusCode);
    }

    [Fact]
    public async Task H29_SupersededOrExpiredAnswer_Never304()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        RawHttpResponse good = await host.GetAsync(s_good);
        string[] conditions = ["If-None-Match: " + good.Header("ETag")];
        await host.SubmitAsync("alpha", [Events.Revoked(Known.Good, RevocationReason.KeyCompromise)]);
        RawHttpResponse revoked = await host.GetAsync(s_good, conditions);
        Assert.Equal(RawCertStatus.Revoked, revoked.Ocsp().Singles[0].Status);

        host.Clock.Advance(TimeSpan.FromDays(10));
        RawHttpResponse renewed = await host.GetAsync(s_good, "If-None-Match: " + revoked.Header("ETag"));
        Assert.Equal(200, renewed.StatusCode);
        Assert.True(renewed.Ocsp().Singles[0].NextUpdateTime > host.Clock.GetUtcNow());
    }

    private static DateTimeOffset Time(RawHttpResponse response, string header) =>
        DateTimeOffset.ParseExact(response.Header(header)!, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    [GeneratedRegex(@"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT\z", RegexOptions.CultureInvariant)]
    private static partial Regex ImfFixdate();
}
