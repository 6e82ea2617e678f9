using System.Security.Cryptography;

namespace OcspCluster.Gateway.Tests;

public sealed class GetTargetTests
{
    private static readonly string[] s_prefixes = ["/a/b", "/ocsp", ""];

    [Theory]
    [InlineData("/ocsp", TargetKind.Endpoint, "")]
    [InlineData("/ocsp/", TargetKind.Endpoint, "")]
    [InlineData("//ocsp//", TargetKind.Endpoint, "")]
    [InlineData("/", TargetKind.Endpoint, "")]
    [InlineData("/?x=1", TargetKind.Endpoint, "")]
    [InlineData("/MA==", TargetKind.Request, "MA==")]
    [InlineData("///MA//=", TargetKind.Request, "MA//=")]
    [InlineData("/ocsp/MA", TargetKind.Request, "MA")]
    [InlineData("/ocspMA", TargetKind.Request, "ocspMA")]
    [InlineData("/a/b/MA", TargetKind.Request, "MA")]
    [InlineData("http://responder.example/ocsp/MA", TargetKind.Request, "MA")]
    [InlineData("http://responder.example", TargetKind.Endpoint, "")]
    [InlineData("*", TargetKind.NotOurs, "")]
    [InlineData("responder.example:443", TargetKind.NotOurs, "")]
    public void Split_Target_FindsPrefixAndRequest(string target, object kind, string request)
    {
        Assert.Equal((TargetKind)kind, GetTarget.Split(target, s_prefixes, out ReadOnlySpan<char> rest));
        Assert.Equal(request, rest.ToString());
    }

    [Fact]
    public void Split_OutsideThePrefixes_IsNotOurs() => Assert.Equal(TargetKind.NotOurs, GetTarget.Split("/other/MA", ["/ocsp"], out _));

    [Theory]
    [InlineData("M")]
    [InlineData("MAAAA")]
    [InlineData("MA=A")]
    [InlineData("MA%")]
    [InlineData("MA%2")]
    [InlineData("MA%zz")]
    [InlineData("MA%25zz")]
    [InlineData("MA*A")]
    [InlineData("MÄ==")]
    [InlineData("M%C3%84==")]
    public void TryDecode_NotBase64_IsFalse(string escaped) => Assert.False(GetTarget.TryDecode(escaped, out _));

    // Every length of DER and every way to write its base64: what comes out is what went in.
    [Fact]
    public void TryDecode_AnyDer_InAnyForm_GivesTheSameBytes()
    {
        Random random = new(20260614);
        for (int length = 0; length < 400; length++)
        {
            byte[] der = MakeDer(length);
            string base64 = Convert.ToBase64String(der);
            string unpadded = base64.TrimEnd('=');
            foreach (string form in new[]
            {
                base64, unpadded, unpadded.Replace('+', '-').Replace('/', '_'), Uri.EscapeDataString(base64), Uri.EscapeDataString(base64).Replace("%2B", "%2b", StringComparison.Ordinal),
                Uri.EscapeDataString(Uri.EscapeDataString(base64)), base64.Replace("+", "%20", StringComparison.Ordinal), base64 + "/", unpadded + "/", unpadded + "//",
                unpadded + "%2F", base64.Insert(base64.Length / 2, "%0D%0A"), Mixed(base64, random), "%2F" + base64,
            })
            {
                Assert.True(GetTarget.TryDecode(form, out byte[] decoded), form);
                Assert.Equal(der, decoded);
            }
        }
    }

    private static byte[] MakeDer(int length)
    {
        byte[] content = RandomNumberGenerator.GetBytes(length);
        return length switch
        {
            < 0x80 => [0x30, (byte)length, .. content],
            < 0x100 => [0x30, 0x81, (byte)length, .. content],
            _ => [0x30, 0x82, (byte)(length >> 8), (byte)length, .. content],
        };
    }

    private static string Mixed(string base64, Random random) =>
        string.Concat(base64.Select(c => random.Next(4) switch
        {
            0 => $"%{(int)c:x2}",
            1 => $"%{(int)c:X2}",
            _ => c.ToString(),
        }));
}
