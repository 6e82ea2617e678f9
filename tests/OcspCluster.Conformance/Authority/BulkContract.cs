using System.Net;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>What is done to many certificates in one call: imports of files, and operations on lists.</summary>
public abstract class BulkContract(SharedHosts shared) : AuthorityContract(shared)
{
    private const string At = "2026-06-14T09:08:07Z";

    public static TheoryData<string, string, string> BadRequests => new()
    {
        { "bulk?kind=revoked", "[]", "id" },
        { "bulk?id=a%20b&kind=revoked", "[]", "id" },
        { "bulk?id=a&kind=issued", "[]", "kind" },
        { "bulk?id=a&kind=revoked&reason=stolen", "[]", "reason" },
        { "bulk?id=a&kind=revoked&at=yesterday", "[]", "at" },
        { "bulk?id=a&kind=revoked&dryRun=perhaps", "[]", "dryRun" },
        { "bulk?id=a&kind=revoked&dry_run=true", "[]", "dry_run" },
        { "bulk?id=a&kind=revoked&kind=held", "[]", "kind" },
        { "bulk?id=a&kind=revoked&issuedFrom=2026-01-02T00:00:00Z&issuedTo=2026-01-02T00:00:00Z", "", "issuedTo" },
        { "bulk?id=a&kind=revoked&issuedFrom=2026-01-02T00:00:00Z", "[\"01\"]", "issuedFrom" },
        { "bulk?id=a&kind=revoked", "", "serials" },
        { "bulk?id=a&kind=revoked", "{\"serials\":[],\"kind\":\"held\"}", "serials" },
        { "imports?form=xml", "x", "form" },
        { "imports?form=csv&dryRun=1", "x", "dryRun" },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task Request_ThatCannotBeMeant_NamesTheField(string path, string body, string field)
    {
        ApiAnswer answer = await PostAsync(await AuthorityAsync(), path, body, "application/json");

        Assert.Equal(field, answer.MustBeProblem(HttpStatusCode.BadRequest).GetProperty("field").GetString());
    }

    [Fact]
    public async Task Bulk_WithAReasonThatNoEventMayHave_IsRefusedAsAWhole()
    {
        (await PostAsync(await AuthorityAsync(), "bulk?id=hold&kind=held&reason=superseded", "[\"01\"]", "application/json")).MustBeProblem(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Bulk_OfAnotherContentType_IsToldWhatIsTaken()
    {
        ApiAnswer answer = await PostAsync(await AuthorityAsync(), "bulk?id=xml&kind=revoked", "<a/>", "application/xml");

        answer.MustBeProblem(HttpStatusCode.UnsupportedMediaType);
        Assert.Contains("text/plain", answer.Headers["Accept-Post"]);
    }

    [Fact]
    public async Task Bulk_WithoutTheScope_IsForbidden()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("read", "feed:beta");

        foreach (string path in new[] { "bulk?id=a&kind=revoked", "imports?form=csv" })
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/" + path, key, "[]")).Status);
        }
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    public async Task Bulk_OfSerialsInAnyNotation_RevokesThemAndIsSeenAtOnce(string contentType)
    {
        IAuthorityHost host = await AuthorityAsync();
        string[] serials = [NewSerial(), NewSerial(), NewSerial(), NewSerial()];
        string decimals = Convert.ToInt64(serials[3], 16).ToString(System.Globalization.CultureInfo.InvariantCulture);
        string[] written = [serials[0], "0x" + serials[1], string.Join(':', serials[2].Chunk(2).Select(pair => new string(pair))), "decimal:" + decimals];
        string body = contentType == "text/plain"
            ? $"# stolen\n{written[0]}, {written[1]}\r\n\n{written[2]} # this one too\n{written[3]}"
            : JsonSerializer.Serialize(written);
        await FeedAsync(host, serials[..3], "issued");

        JsonElement summary = Summary(await PostAsync(host, $"bulk?id=any-{serials[0]}&kind=revoked&reason=keyCompromise&at={At}", body, contentType));

        Assert.Equal((4, 4, 0, 0, 1), Counts(summary));
        Assert.Equal(serials[3].TrimStart('0'), summary.GetProperty("samples").GetProperty("appliedUnissued")[0].GetString()!.TrimStart('0'));
        foreach (string serial in serials)
        {
            RawSingleResponse single = await host.AskOneAsync(AlphaId(Octets(serial)));
            Assert.Equal((RawCertStatus.Revoked, "20260614090807Z"), (single.Status, single.RevocationTime));
        }
    }

    [Fact]
    public async Task Bulk_SentAgain_GoesOnWhereItEnded()
    {
        IAuthorityHost host = await AuthorityAsync();
        string[] serials = [NewSerial(), NewSerial(), NewSerial()];
        string path = $"bulk?id=again-{serials[0]}&kind=held";
        Assert.Equal((2, 2, 0, 0, 2), Counts(Summary(await PostAsync(host, path, string.Join('\n', serials[..2]), "text/plain"))));

        host.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((3, 1, 2, 0, 1), Counts(Summary(await PostAsync(host, path, string.Join('\n', serials), "text/plain"))));
    }

    [Fact]
    public async Task Bulk_DryRun_CountsByOutcomeAndRecordsNothing()
    {
        IAuthorityHost host = await AuthorityAsync();
        string[] serials = [NewSerial(), NewSerial(), NewSerial()];
        await FeedAsync(host, serials, "issued");
        await FeedAsync(host, serials[2..], "revoked");
        string path = $"bulk?id=dry-{serials[0]}&kind=revoked&dryRun=";

        ApiAnswer tried = await PostAsync(host, path + "true", $"{string.Join(',', serials)}\nno serial", "text/plain");

        JsonElement summary = Summary(tried);
        Assert.Equal((4, 2, 0, 1, 0), Counts(summary));
        Assert.Equal((1, 1), (summary.GetProperty("malformed").GetInt32(), summary.GetProperty("refusals").GetProperty("alreadyRevoked").GetInt32()));
        Assert.Equal(["malformed", "alreadyRevoked"], Of(tried, "refused").Select(refused => refused.GetProperty("reason").GetString()));
        Assert.Equal(2, Of(tried, "refused").First().GetProperty("line").GetInt32());
        Assert.Equal("good", await StatusAsync(host, serials[0]));
        Assert.Equal((3, 2, 0, 1, 0), Counts(Summary(await PostAsync(host, path + "false", string.Join(',', serials), "text/plain"))));
        Assert.Equal("revoked", await StatusAsync(host, serials[0]));
    }

    [Fact]
    public async Task Bulk_ByTimeOfIssuance_TakesThoseAndNoOthers()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string[] serials = [NewSerial(), NewSerial(), NewSerial(), NewSerial()];
        string events = string.Join(',', serials.Select((serial, i) => $$"""{"id":"time-{{serial}}","serial":"{{serial}}","kind":"issued","at":"2026-05-0{{i + 1}}T00:00:00Z"}"""));
        Assert.Equal(["applied", "applied", "applied", "applied"], (await PostAsync(host, $"[{events}]")).Outcomes);

        ApiAnswer answer = await PostAsync(host, "bulk?id=time&kind=revoked&reason=superseded&issuedFrom=2026-05-02T00:00:00Z&issuedTo=2026-05-04T02:00:00%2B02:00", null, "text/plain");

        Assert.Equal((2, 2, 0, 0, 0), Counts(Summary(answer)));
        string[] statuses = await Task.WhenAll(serials.Select(serial => StatusAsync(host, serial)));
        Assert.Equal(["good", "revoked", "revoked", "good"], statuses);
    }

    [Fact]
    public async Task Import_OfCsv_TakesWhatIsRightAndNamesTheLines()
    {
        IAuthorityHost host = await AuthorityAsync();
        string[] serials = [NewSerial(), NewSerial()];
        string csv = $"""
            serial,kind,at,reason,invalidity_date,not_after,id
            {serials[0]},issued,{At},,,2030-01-02T03:04:05Z,
            "{serials[0]}",revoked,{At},"keyCompromise",2026-06-01T00:00:00Z,,csv-{serials[0]}
            {serials[1]},stolen,{At},,,,

            {serials[1]},held,{At},,,
            {serials[1]},held,{At},,,,"a ""quoted""
            id"
            """.Replace("\r", "");

        ApiAnswer answer = await PostAsync(host, "imports?form=csv", csv, "text/csv");

        JsonElement summary = Summary(answer);
        Assert.Equal((5, 3, 2), (summary.GetProperty("lines").GetInt32(), summary.GetProperty("applied").GetInt32(), summary.GetProperty("problems").GetInt32()));
        Assert.Equal([4, 6], Of(answer, "problem").Select(problem => problem.GetProperty("line").GetInt32()));
        Assert.Equal("revoked", await StatusAsync(host, serials[0]));
        Assert.Equal("a \"quoted\"\nid", (await GetAsync(host, $"/alpha/certificates/{serials[1]}")).Json.GetProperty("history")[0].GetProperty("id").GetString());
        Assert.Equal(3, Summary(await PostAsync(host, "imports?form=csv", csv, "text/csv")).GetProperty("duplicate").GetInt32());
    }

    [Theory]
    [InlineData("serial,kind\n", "at")]
    [InlineData("serial,kind,at,colour\n", "colour")]
    [InlineData("serial,kind,at,AT\n", "twice")]
    [InlineData("\"serial\"x,kind,at\n", "quote")]
    public async Task Import_OfCsvWithAWrongHeader_TakesNothing(string header, string named)
    {
        ApiAnswer answer = await PostAsync(await AuthorityAsync(), "imports?form=csv", $"{header}01,revoked,{At}\n", "text/csv");

        Assert.Contains(named, Assert.Single(Of(answer, "problem")).GetProperty("detail").GetString());
        Assert.Equal(0, Summary(answer).GetProperty("applied").GetInt32());
    }

    [Fact]
    public async Task Import_OfNdjsonAndOfAnIndex_IsWhatTheFeedWouldTake()
    {
        IAuthorityHost host = await AuthorityAsync();
        string[] serials = [NewSerial(), NewSerial()];

        JsonElement lines = Summary(await PostAsync(host, "imports?form=ndjson", $"{Json("nd-" + serials[0], serials[0], "issued")}\nno\n{Json("nd2-" + serials[0], serials[0], "held")}\n", "application/x-ndjson"));
        JsonElement tried = Summary(await PostAsync(host, "imports?form=index&dryRun=true", $"R\t491231235959Z\t260520103005Z,superseded\t{serials[1]}\tunknown\t/\n", "text/plain"));

        Assert.Equal((2, 1), (lines.GetProperty("applied").GetInt32(), lines.GetProperty("problems").GetInt32()));
        Assert.Equal((2, true), (tried.GetProperty("applied").GetInt32(), tried.GetProperty("dryRun").GetBoolean()));
        Assert.Equal("held", await StatusAsync(host, serials[0]));
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(host, $"/alpha/certificates/{serials[1]}")).Status);
    }

    [Fact]
    public async Task Import_OfACrl_VerifiesItAndKeepsItsNumberOverARestart()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        byte serial = 0x61;
        RawCrl crl = new(Issuers.AlphaCa) { Number = 7, Entries = [RawCrlEntry.WithReason([serial], new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero), 4)] };

        ApiAnswer forged = await PostCrlAsync(host, crl with { Signer = TestKey.P256() });
        Assert.Contains("did not sign", Summary(forged).GetProperty("refusal").GetString());
        Assert.Equal(1, Summary(await PostCrlAsync(host, crl)).GetProperty("applied").GetInt32());
        Assert.Equal(RawCertStatus.Revoked, (await host.AskOneAsync(AlphaId([serial]))).Status);

        await host.RestartAsync();
        Assert.Contains("older", Summary(await PostCrlAsync(host, crl with { Number = 6 })).GetProperty("refusal").GetString());
    }

    private static async Task FeedAsync(IAuthorityHost host, IEnumerable<string> serials, string kind) =>
        Assert.All((await PostAsync(host, $"[{string.Join(',', serials.Select(serial => Json($"{kind}-{serial}", serial, kind)))}]")).Outcomes, outcome => Assert.Equal("applied", outcome));

    private static async Task<string> StatusAsync(IAuthorityHost host, string serial) =>
        (await GetAsync(host, $"/alpha/certificates/{serial}")).Json.GetProperty("status").GetProperty("status").GetString()!;

    private static Task<ApiAnswer> PostAsync(IAuthorityHost host, string path, string? body, string contentType) =>
        SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/" + path, host.CreateKey("feed:alpha"), body is "" ? null : body, contentType);

    private static Task<ApiAnswer> PostCrlAsync(IAuthorityHost host, RawCrl crl) =>
        PostAsync(host, "imports?form=crl", System.Security.Cryptography.PemEncoding.WriteString("X509 CRL", crl.Encode()), "application/x-pem-file");

    private static JsonElement Summary(ApiAnswer answer)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, $"{answer.Status}: {answer.Body}");
        return Assert.Single(Of(answer, "summary"));
    }

    private static IEnumerable<JsonElement> Of(ApiAnswer answer, string name) =>
        answer.Lines.Where(line => line.TryGetProperty(name, out _)).Select(line => line.GetProperty(name));

    private static (int Serials, int Applied, int Duplicate, int Refused, int Unissued) Counts(JsonElement summary) => (
        summary.GetProperty("serials").GetInt32(), summary.GetProperty("applied").GetInt32(), summary.GetProperty("duplicate").GetInt32(),
        summary.GetProperty("refused").GetInt32(), summary.GetProperty("unissued").GetInt32());
}
