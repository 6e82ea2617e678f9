using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests;

/// <summary>What is kept, and for how long (RFC 9919 §7.1, RFC 9111).</summary>
public sealed class StoreTests
{
    private readonly TestClock _clock = new(TestAuthority.Now);

    private OcspClientOptions Options(ResponseStore? store = null) => TestResponder.Options with
    {
        Store = store ?? new MemoryResponseStore(),
        Verification = new OcspVerificationOptions { Clock = _clock },
        Limits = TestResponder.Options.Limits with { MaxAttempts = 1 }, // nobody moves the clock while a second attempt waits
    };

    private static TestResponder Responder(params string[] headers)
    {
        TestResponder? responder = null;
        responder = new TestResponder(answer: (_, request) => LoopbackReply.Ok(responder!.Authority.Respond(request!, CertStatus.Good), headers: headers));
        return responder;
    }

    [Theory]
    [InlineData(new string[0], 23 * 60, 1)] // nextUpdate is in a day
    [InlineData(new string[0], 25 * 60, 2)]
    [InlineData(new[] { "Cache-Control: max-age=600" }, 9, 1)]
    [InlineData(new[] { "Cache-Control: max-age=600" }, 11, 2)]
    [InlineData(new[] { "Cache-Control: max-age=600", "Age: 300" }, 6, 2)]
    [InlineData(new[] { "Cache-Control: max-age=999999999" }, 25 * 60, 2)]
    [InlineData(new[] { "Cache-Control: no-store" }, 1, 2)]
    [InlineData(new[] { "Cache-Control: no-cache" }, 1, 2)]
    [InlineData(new[] { "Cache-Control: max-age=0" }, 1, 2)]
    [InlineData(new[] { "Date: Sat, 13 Jun 2026 12:00:00 GMT", "Expires: Sat, 13 Jun 2026 12:10:00 GMT" }, 9, 1)]
    [InlineData(new[] { "Date: Sat, 13 Jun 2026 12:00:00 GMT", "Expires: Sat, 13 Jun 2026 12:10:00 GMT" }, 11, 2)]
    public async Task Answer_IsUsedAgainForAsLongAsHttpAndNextUpdateAllow(string[] headers, int minutes, int requests)
    {
        await using TestResponder responder = Responder(headers);
        OcspClientOptions options = Options();

        RevocationVerdict first = await responder.CheckAsync(options);
        _clock.SetUtcNow(TestAuthority.Now.AddMinutes(minutes));
        RevocationVerdict second = await responder.CheckAsync(options);

        Assert.Equal(requests, responder.Requests.Length);
        Assert.Equal(RevocationStatus.Good, first.Status);
        Assert.False(first.Evidence!.FromStore);
        if (requests == 1)
        {
            Assert.True(second.Evidence!.FromStore);
        }
    }

    [Theory]
    [InlineData(NonceUse.Sent)]
    [InlineData(NonceUse.Required)]
    public async Task Answer_ToARequestWithNonce_IsNeitherKeptNorUsed(NonceUse nonce)
    {
        await using TestResponder responder = new();
        OcspClientOptions options = Options() with { Nonce = nonce };

        await responder.CheckAsync(options);
        await responder.CheckAsync(options);

        Assert.Equal(2, responder.Requests.Length);
    }

    [Fact]
    public async Task StaleAnswer_IsAskedForByItsETag()
    {
        TestResponder? responder = null;
        responder = new TestResponder(answer: (request, decoded) => request.Headers.ContainsKey("If-None-Match")
            ? LoopbackReply.Of(304, null, "ETag: \"one\"", "Cache-Control: max-age=600")
            : LoopbackReply.Ok(responder!.Authority.Respond(decoded!, CertStatus.Good), headers: ["ETag: \"one\"", "Cache-Control: max-age=600"]));
        await using (responder)
        {
            OcspClientOptions options = Options();
            await responder.CheckAsync(options);
            _clock.SetUtcNow(TestAuthority.Now.AddMinutes(11));
            RevocationVerdict confirmed = await responder.CheckAsync(options);
            RevocationVerdict again = await responder.CheckAsync(options);

            Assert.Equal("\"one\"", responder.Requests[1].Headers["If-None-Match"]);
            Assert.Equal(2, responder.Requests.Length);
            Assert.True(confirmed.Evidence!.FromStore && again.Evidence!.FromStore);
        }
    }

    [Theory]
    [InlineData(23, RevocationStatus.Good)]
    [InlineData(25, RevocationStatus.CouldNotTell)]
    public async Task NobodyAnswers_WhatWasAnsweredHoldsUntilNextUpdate(int hours, RevocationStatus status)
    {
        TestResponder? responder = null;
        responder = new TestResponder(answer: (_, decoded) => responder!.Requests.Length > 1
            ? LoopbackReply.Of(500)
            : LoopbackReply.Ok(responder.Authority.Respond(decoded!, CertStatus.Good), headers: "Cache-Control: max-age=600"));
        await using (responder)
        {
            OcspClientOptions options = Options();
            await responder.CheckAsync(options);
            _clock.SetUtcNow(TestAuthority.Now.AddHours(hours));
            RevocationVerdict verdict = await responder.CheckAsync(options);

            Assert.Equal(status, verdict.Status);
            Assert.Contains(verdict.Attempts, attempt => attempt.HttpStatus == 500);
        }
    }

    [Fact]
    public async Task ResponderError_IsNeverKept()
    {
        await using TestResponder responder = new(answer: (_, _) => LoopbackReply.Ok(OcspResponse.Unauthorized.Encoded.ToArray(), headers: "Cache-Control: max-age=600"));
        OcspClientOptions options = Options() with { CertIdHashes = [CertIdHash.Sha1] };

        await responder.CheckAsync(options);
        await responder.CheckAsync(options);

        Assert.Equal(2, responder.Requests.Length);
    }

    [Fact]
    public async Task Store_ThatWasTamperedWith_IsNotBelieved()
    {
        await using TestResponder responder = new(CertStatus.Revoked(TestAuthority.Now.AddDays(-1)));
        using ScratchDirectory directory = new();
        FileResponseStore store = new(directory.Path);
        await responder.CheckAsync(Options(store));
        string file = Assert.Single(Directory.GetFiles(directory.Path));
        byte[] content = File.ReadAllBytes(file);
        content[^1] ^= 1; // the last octet of the signature
        File.WriteAllBytes(file, content);

        RevocationVerdict verdict = await responder.CheckAsync(Options(store));

        Assert.Equal(RevocationStatus.Revoked, verdict.Status);
        Assert.Equal(2, responder.Requests.Length);
    }

    [Fact]
    public async Task FileStore_IsSharedByClients()
    {
        await using TestResponder responder = new();
        using ScratchDirectory directory = new();

        await responder.CheckAsync(Options(new FileResponseStore(directory.File("cache"))));
        RevocationVerdict verdict = await responder.CheckAsync(Options(new FileResponseStore(directory.File("cache"))));

        Assert.True(verdict.Evidence!.FromStore);
        Assert.Single(responder.Requests);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 0x4F, 0x43, 0x52, 0x31, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x4F, 0x43, 0x52, 0x31, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 0xFF, 0xFF, 0xFF })]
    public async Task FileStore_BrokenFile_IsAsGoodAsNone(byte[] content)
    {
        using ScratchDirectory directory = new();
        FileResponseStore store = new(directory.Path);
        File.WriteAllBytes(directory.File("AB.revocation"), content);

        Assert.Null(await store.FindAsync("AB", default));
        Assert.Null(await store.FindAsync("CD", default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.FindAsync("../AB", default));
    }

    [Fact]
    public async Task FileStore_WhatIsSaved_IsFound()
    {
        using ScratchDirectory directory = new();
        FileResponseStore store = new(directory.Path);
        StoredResponse saved = new() { Body = new byte[] { 1, 2, 3 }, FreshUntil = TestAuthority.Now, UsableUntil = TestAuthority.Now.AddDays(1), ETag = "\"x\"" };

        await store.SaveAsync("AB", saved, default);
        StoredResponse found = (await store.FindAsync("AB", default))!;

        Assert.Equal(saved.Body.ToArray(), found.Body.ToArray());
        Assert.Equal((saved.FreshUntil, saved.UsableUntil, saved.ETag), (found.FreshUntil, found.UsableUntil, found.ETag));
    }

    [Fact]
    public async Task MemoryStore_BeyondItsBound_ForgetsTheLeastUsed()
    {
        MemoryResponseStore store = new(capacityBytes: 3000);
        StoredResponse Entry(int bytes) => new() { Body = new byte[bytes], FreshUntil = TestAuthority.Now, UsableUntil = TestAuthority.Now };
        await store.SaveAsync("a", Entry(500), default);
        await store.SaveAsync("b", Entry(500), default);
        await store.SaveAsync("c", Entry(500), default);
        await store.FindAsync("a", default);

        await store.SaveAsync("d", Entry(500), default);
        await store.SaveAsync("large", Entry(5000), default);

        Assert.NotNull(await store.FindAsync("a", default));
        Assert.Null(await store.FindAsync("b", default));
        Assert.Null(await store.FindAsync("large", default));
        Assert.InRange(store.Bytes, 1, 3000);
        await store.SaveAsync("a", Entry(10), default);
        Assert.Equal(10, (await store.FindAsync("a", default))!.Body.Length);
    }
}
