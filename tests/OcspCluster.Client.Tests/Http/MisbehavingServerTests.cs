using System.Net;
using OcspCluster.Protocol;

namespace OcspCluster.Client.Tests;

/// <summary>A server may do anything. What it does costs the client bounded time and memory, and is told in the verdict.</summary>
public sealed class MisbehavingServerTests
{
    private static readonly OcspClientOptions s_impatient = TestResponder.Options with
    {
        Limits = new NetworkLimits { RequestTimeout = TimeSpan.FromMilliseconds(400), MaxAttempts = 1, RetryDelay = TimeSpan.FromMilliseconds(1) },
        CertIdHashes = [CertIdHash.Sha1],
    };

    // For what succeeds, however busy the machine is.
    private static readonly OcspClientOptions s_patient = TestResponder.Options with
    {
        Limits = TestResponder.Options.Limits with { MaxAttempts = 1 },
        CertIdHashes = [CertIdHash.Sha1],
    };

    [Fact]
    public async Task Body_ThatTrickles_IsGivenUpInTime()
    {
        await using TestResponder responder = new(answer: (_, request) => new LoopbackReply(LoopbackReply.Of(200, new byte[4000]).Octets) { Trickles = true });

        RevocationVerdict verdict = await responder.CheckAsync(s_impatient);

        Assert.Equal(RevocationFailure.Unreachable, verdict.Failure);
        Assert.Contains("0.4 s", verdict.Message, StringComparison.Ordinal);
        Assert.InRange(verdict.Attempts.Sum(attempt => attempt.Elapsed.TotalSeconds), 0.3, 30);
    }

    [Fact]
    public async Task Headers_ThatNeverEnd_AreGivenUp()
    {
        await using TestResponder responder = new(answer: (_, _) => new LoopbackReply("HTTP/1.1 200 OK\r\n"u8.ToArray()) { Endless = "X-Padding: 0123456789012345678901234567890123456789\r\n"u8.ToArray() });

        Assert.Equal(RevocationFailure.Unreachable, (await responder.CheckAsync(s_impatient)).Failure);
    }

    [Fact]
    public async Task Body_ThatNeverEnds_IsCutAtTheBound()
    {
        await using TestResponder responder = new(answer: (_, _) => new LoopbackReply(LoopbackReply.Head(200)) { Endless = new byte[8192] });

        RevocationVerdict verdict = await responder.CheckAsync(s_patient);

        Assert.Equal(RevocationFailure.Unreachable, verdict.Failure);
        Assert.Contains("more than the 65536 octets", verdict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ContentLength_AboveTheBound_IsNotRead()
    {
        await using TestResponder responder = new(answer: (_, _) => new LoopbackReply(LoopbackReply.Head(200, "Content-Length: 9999999999")) { Hangs = true });

        RevocationVerdict verdict = await responder.CheckAsync(s_patient);

        Assert.Contains("9999999999 octets", verdict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ContentEncoding_IsNotUndone()
    {
        await using TestResponder responder = new(answer: (_, request) => LoopbackReply.Ok(new byte[100], headers: "Content-Encoding: gzip"));

        Assert.Equal(RevocationFailure.AnswerRefused, (await responder.CheckAsync(s_patient)).Failure);
        Assert.DoesNotContain("Accept-Encoding", responder.Requests[0].Headers.Keys);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200")]
    [InlineData("SSH-2.0-OpenSSH\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n")]
    public async Task Reply_ThatIsNoHttp_IsAFailureNotAnException(string reply)
    {
        await using TestResponder responder = new(answer: (_, _) => new LoopbackReply(System.Text.Encoding.ASCII.GetBytes(reply)));

        Assert.Equal(RevocationFailure.Unreachable, (await responder.CheckAsync(s_impatient)).Failure);
    }

    [Fact]
    public async Task Server_ThatSaysNothing_IsGivenUpInTime()
    {
        await using TestResponder responder = new(answer: (_, _) => new LoopbackReply([]) { Hangs = true });

        Assert.Equal(RevocationFailure.Unreachable, (await responder.CheckAsync(s_impatient)).Failure);
    }

    [Fact]
    public async Task ManySlowServers_TotalTime_IsTheEnd()
    {
        await using LoopbackServer slow = new(_ => new LoopbackReply([]) { Hangs = true });
        using TestAuthority authority = TestAuthority.CreateRoot();
        using var leaf = authority.Issue(new LeafProfile { Responders = [.. Enumerable.Range(0, 4).Select(n => new Uri(slow.Uri, $"{n}"))] });
        using OcspClient client = new(s_impatient with { Limits = s_impatient.Limits with { TotalTimeout = TimeSpan.FromMilliseconds(600) } });

        RevocationVerdict verdict = await client.CheckAsync(leaf, authority.Certificate);

        Assert.Equal(RevocationFailure.TimedOut, verdict.Failure);
        Assert.InRange(verdict.Attempts.Count, 0, 2);
    }

    [Fact]
    public async Task CancellationByTheCaller_IsAnException()
    {
        await using TestResponder responder = new(answer: (_, _) => new LoopbackReply([]) { Hangs = true });
        using OcspClient client = new(TestResponder.Options);
        using CancellationTokenSource cancellation = new(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.CheckAsync(responder.Leaf, responder.Authority.Certificate, default, cancellation.Token));
    }

    [Theory]
    [InlineData(3, 4, RevocationStatus.Good)]
    [InlineData(4, 4, RevocationStatus.CouldNotTell)]
    public async Task Redirects_AreFollowedUpToTheBound(int redirects, int requests, RevocationStatus status)
    {
        TestResponder? responder = null;
        responder = new(answer: (request, _) => request.Headers.ContainsKey("X-Never") || responder!.Requests.Length <= redirects
            ? LoopbackReply.Of(302, null, $"Location: /{responder!.Requests.Length}{responder.Requests[0].Target}")
            : LoopbackReply.Ok(responder.Authority.Respond(OcspRequest.Decode(TestResponder.RequestIn(request)), CertStatus.Good)));
        await using (responder)
        {
            RevocationVerdict verdict = await responder.CheckAsync(s_patient);

            Assert.Equal(status, verdict.Status);
            Assert.Equal(requests, responder.Requests.Length);
        }
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("http://user:word@127.0.0.1/")]
    [InlineData("http://")]
    public async Task Redirect_ToWhatIsNotHttp_IsNotFollowed(string location)
    {
        await using TestResponder responder = new(answer: (_, _) => LoopbackReply.Of(302, null, $"Location: {location}"));

        Assert.Equal(RevocationFailure.Unreachable, (await responder.CheckAsync(s_patient)).Failure);
    }

    [Fact]
    public async Task Redirect_FromAGivenAddressToAPrivateOne_IsRefused()
    {
        await using TestResponder inside = new();
        await using TestResponder responder = new(answer: (_, _) => LoopbackReply.Of(307, null, $"Location: {inside.Uri}"));

        RevocationVerdict verdict = await responder.CheckAsync(s_patient with { PrivateAddresses = PrivateAddressRule.AllowGiven, Responders = [responder.Uri] });

        Assert.Equal(RevocationFailure.AddressRefused, verdict.Failure);
        Assert.Empty(inside.Requests);
    }

    [Theory]
    [InlineData(PrivateAddressRule.Refuse, false, false)]
    [InlineData(PrivateAddressRule.Refuse, true, false)]
    [InlineData(PrivateAddressRule.AllowGiven, false, false)]
    [InlineData(PrivateAddressRule.AllowGiven, true, true)]
    [InlineData(PrivateAddressRule.Allow, false, true)]
    public async Task PrivateAddress_IsConnectedToOnlyWhenAllowed(PrivateAddressRule rule, bool isGiven, bool isAsked)
    {
        await using TestResponder responder = new();

        RevocationVerdict verdict = await responder.CheckAsync(s_patient with { PrivateAddresses = rule, Responders = isGiven ? [responder.Uri] : [] });

        Assert.Equal(isAsked ? RevocationFailure.None : RevocationFailure.AddressRefused, verdict.Failure);
        Assert.Equal(isAsked ? 1 : 0, responder.Requests.Length);
    }

    [Fact]
    public async Task NameThatResolvesToLoopback_IsRefusedAtTheConnection()
    {
        await using TestResponder responder = new();
        using HttpTransport transport = new(s_patient with { PrivateAddresses = PrivateAddressRule.Refuse });

        // The machine's own name is no literal and not "localhost": only the connection tells where it leads.
        Uri uri = new UriBuilder(responder.Uri) { Host = Dns.GetHostName() }.Uri;
        HttpReply reply = await transport.SendAsync(new HttpQuestion { Uri = uri, Accept = "*/*", MaxBytes = 1000, Timeout = TimeSpan.FromSeconds(60) }, default);

        Assert.Equal(RevocationFailure.AddressRefused, reply.Failure);
        Assert.Empty(responder.Requests);
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("64:ff9b::808:808", true)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2002:808:808::", true)]
    [InlineData("2001:0:1::1", false)]
    public void Address_IsPublicOrNot(string address, bool isPublic) => Assert.Equal(isPublic, PublicAddress.Is(IPAddress.Parse(address)));
}
