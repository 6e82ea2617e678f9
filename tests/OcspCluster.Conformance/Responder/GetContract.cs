using System.Security.Cryptography;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>GET: the request out of the raw target (rules H2, H5–H12).</summary>
public abstract class GetContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly byte[] s_awkward = AskAlpha(Known.Awkward).Encode();

    public static TheoryData<string> Spellings => [.. GetTarget.All.Keys];

    [Fact]
    public async Task H2_Get_AnsweredLikeThePost()
    {
        IResponderHost host = await DefaultAsync();
        foreach (byte[] serial in new[] { Known.Good, Known.Revoked, Known.Held, Known.Unissued })
        {
            RawOcspResponse byPost = await host.AskAsync(AskAlpha(serial));
            RawOcspResponse byGet = (await host.GetAsync(AskAlpha(serial))).Ocsp();
            Assert.Equal(byPost.Encoded, byGet.Encoded);
        }
    }

    [Fact]
    public async Task H5_Target_InAbsoluteForm_Answered()
    {
        IResponderHost host = await DefaultAsync();
        foreach (string prefix in new[] { "", "ocsp/" })
        {
            await MustAnswerAsync(host, $"{host.OcspUri}{prefix}{GetTarget.Escaped(s_awkward)}");
            await MustAnswerAsync(host, $"{host.OcspUri}{prefix}{GetTarget.Raw(s_awkward)}");
        }
    }

    [Fact]
    public async Task H5_QueryString_Ignored()
    {
        IResponderHost host = await DefaultAsync();
        foreach (string query in new[] { "?", "?x=1", "?/ocsp/MA==", "?a=%2F&b=" })
        {
            await MustAnswerAsync(host, "/" + GetTarget.Escaped(s_awkward) + query);
            await MustAnswerAsync(host, "/ocsp/" + GetTarget.Raw(s_awkward) + query);
        }
    }

    [Fact]
    public async Task H5_DotSegments_AreNotFoldedAway()
    {
        IResponderHost host = await DefaultAsync();
        foreach (string path in new[] { "/x/../", "/./", "/ocsp/../", "/ocsp/./" })
        {
            RawHttpResponse response = await host.GetAsync(path + GetTarget.Escaped(s_awkward));
            Assert.True(response.StatusCode is 400 or 404 || response.Ocsp().Status == MalformedRequest, $"{path}: {response.StatusLine}");
        }
    }

    [Fact]
    public async Task H5_LetterCase_OfBase64_IsKept()
    {
        // The same request with the case of one letter changed is another request or none.
        IResponderHost host = await DefaultAsync();
        string target = GetTarget.Escaped(AskAlpha(Known.Good).Encode());
        RawHttpResponse response = await host.GetAsync("/" + target.ToLowerInvariant());
        Assert.NotEqual(Successful, response.Ocsp().Status);
        await MustAnswerAsync(host, "/" + target, Known.Good);
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task H6_H7_H9_Spelling_EachIsReadAlike(string spelling)
    {
        IResponderHost host = await DefaultAsync();
        await MustAnswerAsync(host, "/" + GetTarget.All[spelling](s_awkward));
        await MustAnswerAsync(host, "/ocsp/" + GetTarget.All[spelling](s_awkward));
        await MustAnswerAsync(host, "/" + GetTarget.All[spelling](AskAlpha(Known.EndsInSlash).Encode()), Known.EndsInSlash);
        await MustAnswerAsync(host, "/" + GetTarget.All[spelling](AskAlpha(Known.Good).Encode()), Known.Good);
    }

    [Fact]
    public async Task H6_Escapes_InAnyMixtureOfCase_ReadAlike()
    {
        IResponderHost host = await DefaultAsync();
        Random random = new(20260615);
        for (int i = 0; i < 200; i++)
        {
            await MustAnswerAsync(host, (i % 2 == 0 ? "/" : "/ocsp/") + GetTarget.Mixed(s_awkward, random));
        }
    }

    [Fact]
    public async Task H6_EscapedSpace_ReadsAsPlus()
    {
        IResponderHost host = await DefaultAsync();
        Assert.Contains('+', GetTarget.Raw(s_awkward));
        await MustAnswerAsync(host, "/" + GetTarget.Raw(s_awkward).Replace("+", "%20", StringComparison.Ordinal));
    }

    [Fact]
    public async Task H7_SlashesInsideBase64_AreKept()
    {
        IResponderHost host = await DefaultAsync();
        string raw = GetTarget.Raw(s_awkward);
        Assert.Contains("//", raw, StringComparison.Ordinal);
        await MustAnswerAsync(host, "/" + raw);
        await MustAnswerAsync(host, "/ocsp/" + raw);
    }

    [Theory]
    [InlineData("//")]
    [InlineData("///")]
    [InlineData("/ocsp//")]
    [InlineData("/ocsp///")]
    [InlineData("/%2F")]
    public async Task H8_LeadingSlashes_Dropped(string lead)
    {
        IResponderHost host = await DefaultAsync();
        await MustAnswerAsync(host, lead + GetTarget.Escaped(s_awkward));
        await MustAnswerAsync(host, lead + GetTarget.Raw(s_awkward));
    }

    [Fact]
    public async Task H8_TrailingSlash_DroppedUnlessItIsData()
    {
        IResponderHost host = await DefaultAsync();
        byte[] endsInSlash = AskAlpha(Known.EndsInSlash).Encode();
        Assert.EndsWith("/", GetTarget.Raw(endsInSlash), StringComparison.Ordinal);
        foreach (string prefix in new[] { "/", "/ocsp/" })
        {
            await MustAnswerAsync(host, prefix + GetTarget.Raw(s_awkward) + "/");
            await MustAnswerAsync(host, prefix + GetTarget.Escaped(s_awkward) + "/");
            await MustAnswerAsync(host, prefix + GetTarget.Raw(endsInSlash), Known.EndsInSlash);
            await MustAnswerAsync(host, prefix + GetTarget.Raw(endsInSlash) + "/", Known.EndsInSlash);
        }
    }

    [Fact]
    public async Task H9_EscapedTwice_WithLeadingEscapes_Answered()
    {
        IResponderHost host = await DefaultAsync();
        string twice = GetTarget.Escaped(s_awkward).Replace("%", "%25", StringComparison.Ordinal);
        Assert.Contains("%252", twice, StringComparison.Ordinal);
        await MustAnswerAsync(host, "/" + twice);
    }

    [Fact]
    public async Task H10_PathPrefixes_Default_RootAndOcsp()
    {
        IResponderHost host = await DefaultAsync();
        byte[] request = AskAlpha(Known.Good).Encode();
        foreach (string path in new[] { "/", "/ocsp", "/ocsp/" })
        {
            RawHttpResponse posted = await RawHttp.SendAsync(host.OcspUri, RawHttp.PostTo(host.OcspUri, path, request, "Content-Type: application/ocsp-request"));
            posted.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        }

        await MustAnswerAsync(host, "/ocsp/" + GetTarget.Escaped(request), Known.Good);
        await MustAnswerAsync(host, "/" + GetTarget.Escaped(request), Known.Good);
    }

    [Fact]
    public async Task H10_PathPrefixes_Configured_ReplaceTheDefault()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith().With(("Ocsp:PathPrefixes:0", "/pki/alpha"), ("Ocsp:PathPrefixes:1", "/status/")));
        byte[] request = AskAlpha(Known.Awkward).Encode();
        foreach (string prefix in new[] { "/pki/alpha", "/status" })
        {
            foreach (string path in new[] { prefix, prefix + "/" })
            {
                RawHttpResponse posted = await RawHttp.SendAsync(host.OcspUri, RawHttp.PostTo(host.OcspUri, path, request, "Content-Type: application/ocsp-request"));
                posted.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Awkward));
            }

            await MustAnswerAsync(host, $"{prefix}/{GetTarget.Raw(request)}");
            await MustAnswerAsync(host, $"{prefix}//{GetTarget.Escaped(request)}/");
        }

        RawHttpResponse elsewhere = await host.GetAsync("/elsewhere/" + GetTarget.Escaped(request));
        Assert.True(elsewhere.StatusCode == 404 || elsewhere.Ocsp().Status == MalformedRequest, elsewhere.StatusLine);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(12)]
    public async Task H11_TargetOver255Octets_Answered(int certIds)
    {
        IResponderHost host = await DefaultAsync();
        byte[][] serials = [.. Enumerable.Range(0, certIds).Select(i => new byte[] { 0x21, (byte)i, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06 })];
        await host.SubmitAsync("alpha", [.. serials.Select(serial => Events.Issued(serial))]);
        string target = "/" + GetTarget.Escaped(AskAlpha(serials).Encode());
        Assert.InRange(target.Length, 256, 2048);
        (await host.GetAsync(target)).Ocsp().MustAnswer(Issuers.Alpha, serials.Select(serial => AlphaId(serial)));
    }

    [Theory]
    [InlineData("/M")]
    [InlineData("/MFEw")]
    [InlineData("/MA==")]
    [InlineData("/MFEw!!!!")]
    [InlineData("/MFEw=MFEw")]
    [InlineData("/M%")]
    [InlineData("/MFE%2")]
    [InlineData("/MFE%zz")]
    [InlineData("/MFE%C3%A4")]
    [InlineData("/ocsp/MFEw")]
    public async Task H12_BadBase64OrDer_MalformedRequestUnderHttp200(string target)
    {
        IResponderHost host = await DefaultAsync();
        (await host.GetAsync(target)).Ocsp().MustBe(MalformedRequest);
    }

    [Fact]
    public async Task H12_EscapedNul_MalformedRequestOr400()
    {
        // Web servers refuse it before a responder sees it.
        RawHttpResponse response = await (await DefaultAsync()).GetAsync("/MFE%00w");
        Assert.True(response.StatusCode == 400 || response.Ocsp().Status == MalformedRequest, response.StatusLine);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/ocsp")]
    [InlineData("/ocsp/")]
    [InlineData("/?")]
    [InlineData("//")]
    public async Task H12_EmptyPath_MalformedRequestOrInfoPage(string target)
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse response = await host.GetAsync(target);
        if (response.StatusCode == 200 && response.Header("Content-Type") == "application/ocsp-response")
        {
            response.Ocsp().MustBe(MalformedRequest);
        }
        else
        {
            Assert.True(response.StatusCode is 200 or 404, response.StatusLine);
        }
    }

    [Fact]
    public async Task H12_RandomTargets_MalformedRequestOrNotFound()
    {
        IResponderHost host = await DefaultAsync();
        byte[][] messages = [.. Enumerable.Range(1, 300).Select(i =>
            RawHttp.Request(host.OcspUri, "GET", "/" + GetTarget.Escaped(RandomNumberGenerator.GetBytes(i))))];
        Assert.All(await host.SendAllAsync(messages), response => Assert.True(
            response.StatusCode == 404 || response.Ocsp().Status == MalformedRequest, response.StatusLine));
    }

    private static async Task MustAnswerAsync(IResponderHost host, string target, byte[]? serial = null)
    {
        RawHttpResponse response = await host.GetAsync(target);
        Assert.True(response.StatusCode == 200, $"{response.StatusLine} for {target}");
        RawOcspResponse answer = response.Ocsp();
        Assert.True(answer.Status == Successful, $"responseStatus {answer.Status} for {target}");
        answer.MustAnswer(Issuers.Alpha, AlphaId(serial ?? Known.Awkward));
    }
}
