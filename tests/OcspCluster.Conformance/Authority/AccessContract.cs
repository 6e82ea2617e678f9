using System.Net;

namespace OcspCluster.Conformance;

/// <summary>Who is let in to the admin API, and who is not.</summary>
public abstract class AccessContract(SharedHosts shared) : AuthorityContract(shared)
{
    private static readonly (HttpMethod Method, string Path)[] s_endpoints =
    [
        (HttpMethod.Get, "/v1/issuers"), (HttpMethod.Get, "/v1/issuers/alpha"), (HttpMethod.Get, "/v1/issuers/alpha/certificates"),
        (HttpMethod.Get, "/v1/issuers/alpha/certificates/11"), (HttpMethod.Post, "/v1/issuers/alpha/events"),
    ];

    [Fact]
    public async Task WithoutAValidKey_EveryEndpointIs401()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("operator");
        string[] wrong = ["x", ".", key[..^1], key + "A", key.Replace(".", "", StringComparison.Ordinal), "0000000000000000" + key[16..], key[..17], new string('a', 5000), "ä.ö"];
        foreach ((HttpMethod method, string path) in s_endpoints)
        {
            ApiAnswer none = await SendAsync(host, method, path, null, method == HttpMethod.Post ? "{" : null);
            none.MustBeProblem(HttpStatusCode.Unauthorized);
            Assert.StartsWith("Bearer", none.Headers["WWW-Authenticate"], StringComparison.Ordinal);
        }

        foreach (string one in wrong.Where(one => one.All(char.IsAscii)))
        {
            (await SendAsync(host, HttpMethod.Get, "/v1/issuers", one)).MustBeProblem(HttpStatusCode.Unauthorized);
        }
    }

    [Theory]
    [InlineData("operator", "11111")]
    [InlineData("operator:alpha", "11111")]
    [InlineData("operator:beta", "10000")]
    [InlineData("read", "11110")]
    [InlineData("read:alpha", "11110")]
    [InlineData("read:alpha-rekeyed", "10000")]
    [InlineData("feed", "00001")]
    [InlineData("feed:alpha", "00001")]
    [InlineData("feed:beta", "00000")]
    public async Task Scope_AllowsWhatItSaysAndNothingElse(string scope, string allowed)
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey(scope);
        for (int i = 0; i < s_endpoints.Length; i++)
        {
            (HttpMethod method, string path) = s_endpoints[i];
            ApiAnswer answer = await SendAsync(host, method, path, key, method == HttpMethod.Post ? Json("scope-" + scope, NewSerial(), "issued") : null);
            if (allowed[i] == '0')
            {
                answer.MustBeProblem(HttpStatusCode.Forbidden);
            }
            else
            {
                Assert.NotEqual(HttpStatusCode.Forbidden, answer.Status);
                Assert.NotEqual(HttpStatusCode.Unauthorized, answer.Status);
            }
        }
    }

    [Fact]
    public async Task Key_OfOneIssuer_DoesNotLearnOfOthers()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("operator:alpha");
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers/beta", key)).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers/nobody", key)).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers/No%20Id", key)).MustBeProblem(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Key_Revoked_IsRefusedFromTheNextRequestOn()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("read");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(host, HttpMethod.Get, "/v1/issuers", key)).Status);

        host.RevokeKey(key);

        (await SendAsync(host, HttpMethod.Get, "/v1/issuers", key)).MustBeProblem(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Key_Expired_IsRefused()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string key = host.CreateExpiringKey(TimeSpan.FromHours(1));
        host.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(host, HttpMethod.Get, "/v1/issuers", key)).Status);

        host.Clock.Advance(TimeSpan.FromMinutes(1));

        (await SendAsync(host, HttpMethod.Get, "/v1/issuers", key)).MustBeProblem(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Key_AfterARestart_StillWorks()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string key = host.CreateKey("read");
        await host.RestartAsync();
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(host, HttpMethod.Get, "/v1/issuers", key)).Status);
    }

    [Fact]
    public async Task WrongKeys_BeyondTheirRate_Are429ForAMinute_AndAValidKeyIsTakenAllTheSame()
    {
        IAuthorityHost host = await OwnAuthorityAsync(("Admin:FailuresPerMinute", "3"));
        string key = host.CreateKey("read");
        for (int i = 0; i < 3; i++)
        {
            (await SendAsync(host, HttpMethod.Get, "/v1/issuers", "0000000000000000.x")).MustBeProblem(HttpStatusCode.Unauthorized);
        }

        ApiAnswer refused = await SendAsync(host, HttpMethod.Get, "/v1/issuers", "0000000000000000.x");
        refused.MustBeProblem(HttpStatusCode.TooManyRequests);
        Assert.InRange(int.Parse(refused.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture), 1, 60);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(host, HttpMethod.Get, "/v1/issuers", key)).Status);
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers", null)).MustBeProblem(HttpStatusCode.Unauthorized); // tries nothing
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers", "0000000000000000.x")).MustBeProblem(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Credential_BeyondItsRate_Is429AndOthersGoOn()
    {
        IAuthorityHost host = await OwnAuthorityAsync(("Admin:RequestsPerSecond", "1"));
        string busy = host.CreateKey("read");
        string other = host.CreateKey("read");
        ApiAnswer? refused = null;
        for (int i = 0; i < 1000 && refused is null; i++)
        {
            ApiAnswer answer = await SendAsync(host, HttpMethod.Get, "/v1/issuers", busy);
            refused = answer.Status == HttpStatusCode.OK ? null : answer;
        }

        refused!.MustBeProblem(HttpStatusCode.TooManyRequests);
        Assert.InRange(int.Parse(refused.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture), 1, 10);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(host, HttpMethod.Get, "/v1/issuers", other)).Status);
    }
}
