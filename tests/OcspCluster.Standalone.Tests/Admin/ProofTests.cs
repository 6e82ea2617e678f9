using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Hosting.Audit;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Admin;

/// <summary>Checkpoints and proofs over HTTP, judged by the pure verifier with the public key that an auditor has.</summary>
public sealed class ProofTests : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(1) };
    private StandaloneResponderHost? _host;

    [Fact]
    public async Task Proofs_OfEveryPositionAndSize_VerifyAgainstTheCheckpoints()
    {
        StandaloneResponderHost host = await StartAsync();
        Checkpoint first = await CheckpointAsync();
        await RevokeAsync(11);
        host.Clock.Advance(JournalCheckpointInterval);
        Checkpoint second = await CheckpointAsync();
        Assert.Equal(first.Size + 11, second.Size);

        for (long position = 1; position <= second.Size; position++)
        {
            foreach (Checkpoint checkpoint in new[] { first, second }.Where(one => one.Size >= position))
            {
                JsonElement json = await JsonAsync($"proofs/inclusion?position={position}&size={checkpoint.Size}");
                Digest leaf = DigestOf(json.GetProperty("leafHash"));
                Assert.Equal(checkpoint.Root, DigestOf(json.GetProperty("root")));
                Assert.True(MerkleProof.VerifyInclusion(leaf, position - 1, checkpoint.Size, Proof(json), checkpoint.Root));
                Assert.False(MerkleProof.VerifyInclusion(first.Root, position - 1, checkpoint.Size, Proof(json), checkpoint.Root));

                // The entry itself, for who has the checkpoint and nothing else.
                EntryProof proof = EntryProof.Read(System.Text.Encoding.UTF8.GetBytes(json.GetProperty("entry").GetRawText()), DigestOf(json.GetProperty("previousHash")), Proof(json))!;
                Assert.Equal(position, proof.Entry.Entry.Position);
                Assert.True(proof.IsIn(checkpoint));
                JournalEntry entry = proof.Entry.Entry;
                Assert.False((proof with { Entry = proof.Entry with { Entry = entry with { Event = entry.Event with { At = entry.Event.At.AddTicks(1) } } } }).IsIn(checkpoint));
                Assert.False((proof with { Entry = proof.Entry with { Entry = entry with { Submitter = new Submitter("another", null) } } }).IsIn(checkpoint));
                Assert.False((proof with { Previous = proof.Entry.Hash }).IsIn(checkpoint));
                Assert.False(proof.IsIn(checkpoint with { Issuer = new IssuerId("other") }));
                Assert.False(proof.IsIn(checkpoint with { Size = position - 1 }));
            }
        }

        JsonElement grown = await JsonAsync($"proofs/consistency?from={first.Size}&to={second.Size}");
        Assert.Equal((first.Root, second.Root), (DigestOf(grown.GetProperty("fromRoot")), DigestOf(grown.GetProperty("toRoot"))));
        Assert.True(MerkleProof.VerifyConsistency(first.Size, first.Root, second.Size, second.Root, Proof(grown)));
        Assert.False(MerkleProof.VerifyConsistency(first.Size, second.Root, second.Size, second.Root, Proof(grown)));
    }

    [Fact]
    public async Task Checkpoint_WithinAMinute_IsTheSame_AndSurvivesARestart()
    {
        StandaloneResponderHost host = await StartAsync();
        string note = await TextAsync("checkpoint");
        await RevokeAsync(1);
        host.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(note, await TextAsync("checkpoint"));
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        string next = await TextAsync("checkpoint");
        Assert.NotEqual(note, next);
        await host.RestartAsync();
        Assert.Equal(next, await TextAsync("checkpoint"));
    }

    [Theory]
    [InlineData("proofs/inclusion?position=0&size=1", HttpStatusCode.BadRequest)]
    [InlineData("proofs/inclusion?position=2&size=1", HttpStatusCode.BadRequest)]
    [InlineData("proofs/inclusion?position=1&size=1000", HttpStatusCode.BadRequest)]
    [InlineData("proofs/inclusion?position=1", HttpStatusCode.BadRequest)]
    [InlineData("proofs/consistency?from=2&to=1", HttpStatusCode.BadRequest)]
    [InlineData("proofs/consistency?from=1&to=1000", HttpStatusCode.BadRequest)]
    public async Task Proof_OfWhatIsNot_IsAProblem(string path, HttpStatusCode status)
    {
        await StartAsync();
        using HttpResponseMessage response = await SendAsync(path);
        Assert.Equal((status, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    private static TimeSpan JournalCheckpointInterval => Gateway.JournalCheckpoints.Interval;

    private static Digest DigestOf(JsonElement json) => new(json.GetBytesFromBase64());

    private static IReadOnlyList<Digest> Proof(JsonElement json) => [.. json.GetProperty("proof").EnumerateArray().Select(DigestOf)];

    private async Task<StandaloneResponderHost> StartAsync()
    {
        _host = (StandaloneResponderHost)await StandaloneResponderHost.StartAsync(Issuers.All, new TestClock());
        await RevokeAsync(3);
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _host.CreateKey("read:alpha"));
        return _host;
    }

    private Task RevokeAsync(int count) => _host!.SubmitAsync("alpha", [.. Enumerable.Range(0, count).Select(_ => new RevocationEvent
    {
        Id = Guid.NewGuid().ToString("N"),
        Serial = SerialNumber.ParseHex("7A" + Convert.ToHexString(RandomNumberGenerator.GetBytes(8))),
        Kind = EventKind.Revoked,
        At = _host.Clock.GetUtcNow(),
        Reason = RevocationReason.Superseded,
    })]);

    private Task<HttpResponseMessage> SendAsync(string path) => _client.GetAsync(new Uri(_host!.AdminUri, "/v1/issuers/alpha/" + path));

    private async Task<string> TextAsync(string path)
    {
        using HttpResponseMessage response = (await SendAsync(path)).EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync();
    }

    private async Task<JsonElement> JsonAsync(string path) => JsonDocument.Parse(await TextAsync(path)).RootElement;

    private async Task<Checkpoint> CheckpointAsync()
    {
        using ECDsa key = JournalKeyFile.LoadPublic(Path.Combine(_host!.DataDirectory, JournalKeyFile.PublicFileName));
        return new CheckpointVerifier(key).Verify(await TextAsync("checkpoint")) ?? throw new InvalidOperationException("The checkpoint does not verify.");
    }
}
