using OcspCluster.Authority;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests.Admin;

public sealed class ApiKeyStoreTests : IDisposable
{
    private static readonly ApiScope[] s_scopes = [new(ApiAction.Feed, new IssuerId("alpha")), new(ApiAction.Read, null)];

    private readonly ScratchDirectory _directory = new();
    private readonly TestClock _clock = new();
    private readonly ApiKeyStore _store;

    public ApiKeyStoreTests() => _store = Open();

    private string KeyFile => _directory.File("keys.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Key_Created_IsKnownWithItsScopes()
    {
        (string bearer, ApiKey made) = _store.Create("the CA", s_scopes);

        ApiKey? key = await _store.AuthenticateAsync(bearer);

        Assert.Equal((made.Id, "the CA", _clock.GetUtcNow()), (key!.Id, key.Name, key.CreatedAt));
        Assert.Equal(["feed:alpha", "read:*"], key.Scopes);
    }

    [Fact]
    public void Secret_IsInNoFileAndHas256Bits()
    {
        (string bearer, ApiKey key) = _store.Create("x", s_scopes);
        string secret = bearer[(bearer.IndexOf('.') + 1)..];

        Assert.Equal(43, secret.Length);
        Assert.DoesNotContain(secret, File.ReadAllText(KeyFile), StringComparison.Ordinal);
        Assert.Contains(key.Id, File.ReadAllText(KeyFile), StringComparison.Ordinal);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(KeyFile) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Fact]
    public async Task Secret_OfAnotherKey_IsRefused()
    {
        (string one, _) = _store.Create("one", s_scopes);
        (string other, _) = _store.Create("other", s_scopes);

        Assert.Null(await _store.AuthenticateAsync(one[..17] + other[17..]));
        Assert.Null(await _store.AuthenticateAsync(one[..^1] + (one[^1] == 'A' ? 'B' : 'A')));
        Assert.Null(await _store.AuthenticateAsync(one[..17]));
        Assert.Null(await _store.AuthenticateAsync(null));
    }

    [Fact]
    public async Task Key_Expired_IsRefusedFromThatInstantOn()
    {
        (string bearer, _) = _store.Create("x", s_scopes, TimeSpan.FromDays(1));
        _clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromTicks(1));
        Assert.NotNull(await _store.AuthenticateAsync(bearer));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(await _store.AuthenticateAsync(bearer));
    }

    [Fact]
    public async Task Key_RevokedByAnotherProcess_IsRefusedAtOnce()
    {
        (string bearer, ApiKey key) = _store.Create("x", s_scopes);
        Assert.NotNull(await _store.AuthenticateAsync(bearer));

        Assert.True(Open().Revoke(key.Id));

        Assert.Null(await _store.AuthenticateAsync(bearer));
        Assert.Equal(_clock.GetUtcNow(), Assert.Single(_store.List()).RevokedAt);
        Assert.False(_store.Revoke("0000000000000000"));
    }

    [Fact]
    public async Task File_ThatIsDamaged_LetsNobodyIn()
    {
        (string bearer, _) = _store.Create("x", s_scopes);
        string sound = File.ReadAllText(KeyFile);
        foreach (string damaged in new[] { "", "{", "null", "{}", "[]", sound.Replace("read:*", "root"), sound.Replace("\"secretHash\"", "\"hash\"") })
        {
            File.WriteAllText(KeyFile, damaged);
            await Assert.ThrowsAsync<ApiKeyStoreException>(async () => await _store.AuthenticateAsync(bearer));
            Assert.Throws<ApiKeyStoreException>(() => _store.Create("y", s_scopes));
        }

        File.WriteAllText(KeyFile, sound);
        Assert.NotNull(await _store.AuthenticateAsync(bearer));
    }

    [Fact]
    public async Task Keys_MadeBySeveralProcessesAtOnce_AreAllThere()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(process => Task.Run(() =>
        {
            ApiKeyStore store = Open();
            for (int i = 0; i < 10; i++)
            {
                store.Create($"{process}-{i}", s_scopes);
            }
        })));

        Assert.Equal(40, _store.List().Count);
    }

    [Fact]
    public async Task OperatorKey_IsWrittenOnceForItsOwner()
    {
        string file = _directory.File("admin.key");

        Assert.True(_store.EnsureOperatorKey(file));
        string bearer = File.ReadAllText(file).TrimEnd('\n');
        Assert.False(_store.EnsureOperatorKey(file));

        Assert.Equal(["operator:*"], (await _store.AuthenticateAsync(bearer))!.Scopes);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.Equal(bearer, File.ReadAllText(file).TrimEnd('\n'));
    }

    [Theory]
    [InlineData("read", "read:*")]
    [InlineData("feed:*", "feed:*")]
    [InlineData("operator:demo", "operator:demo")]
    [InlineData("Read", null)]
    [InlineData("feed:", null)]
    [InlineData("feed:No", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("write:demo", null)]
    public void Scope_Text_IsReadStrictly(string? text, string? scope) =>
        Assert.Equal(scope, ApiScope.TryParse(text, out ApiScope read) ? read.ToString() : null);

    private ApiKeyStore Open() => new(KeyFile, _clock);
}
