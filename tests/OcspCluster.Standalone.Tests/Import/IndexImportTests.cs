using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Import;

public sealed class IndexImportTests : IAsyncDisposable
{
    private static readonly IssuerId s_issuer = new("ca");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-import-");
    private readonly TestClock _clock = new();
    private readonly SqliteRevocationStore _store;
    private readonly IssuerSequencer _sequencer;
    private readonly LocalRevocationAuthority _authority;

    public IndexImportTests()
    {
        _store = SqliteRevocationStore.Open(_directory.FullName);
        _sequencer = new IssuerSequencer(s_issuer, _store, new NoGateway(), _clock);
        _authority = new LocalRevocationAuthority([_sequencer]);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Import_OfAllStates_MakesTheStatusesOfTheIndex()
    {
        (ImportProgress progress, _) = await ImportAsync(
            "V\t270101000000Z\t\t01\tunknown\t/CN=a",
            "R\t270101000000Z\t260520103005Z,superseded\t02\tunknown\t/CN=b",
            "R\t270101000000Z\t260520103005Z,certificateHold\t03\tunknown\t/CN=c",
            "E\t200101000000Z\t\tFF\tunknown\t/CN=d",
            "R\t270101000000Z\t260520103005Z,keyTime,20260501000000Z\t05\tunknown\t/CN=e");

        Assert.Equal(new ImportProgress(Lines: 5, Applied: 8, Duplicates: 0, Unchanged: 0, Problems: 0, Settled: 5), progress);
        Assert.Equal("Good 2027", await StatusAsync("01"));
        Assert.Equal("Revoked 2027 2026-05-20T10:30:05 Superseded", await StatusAsync("02"));
        Assert.Equal("Held 2027 2026-05-20T10:30:05 CertificateHold", await StatusAsync("03"));
        Assert.Equal("Good 2020", await StatusAsync("FF"));
        Assert.Equal("Revoked 2027 2026-05-20T10:30:05 KeyCompromise since 2026-05-01", await StatusAsync("05"));
    }

    [Fact]
    public async Task Import_Again_ChangesNothing()
    {
        string[] index =
        [
            "V\t270101000000Z\t\t01\tunknown\t/CN=a", "R\t270101000000Z\t260520103005Z\t02\tunknown\t/CN=b",
            "R\t270101000000Z\t260520103005Z,certificateHold\t03\tunknown\t/CN=c", "R\t270101000000Z\t260520103005Z,keyTime,20260501000000Z\t05\tunknown\t/CN=e",
        ];
        await ImportAsync(index);
        long position = await _store.GetPositionAsync(s_issuer, CancellationToken.None);
        _clock.Advance(TimeSpan.FromDays(1));

        (ImportProgress progress, _) = await ImportAsync(index);

        Assert.Equal(new ImportProgress(Lines: 4, Applied: 0, Duplicates: 0, Unchanged: 4, Problems: 0, Settled: 4), progress);
        Assert.Equal(position, await _store.GetPositionAsync(s_issuer, CancellationToken.None));
    }

    [Fact]
    public async Task Import_OfALaterIndex_AppliesTheDifference()
    {
        const string Held = "R\t270101000000Z\t260520103005Z,certificateHold\t0";
        await ImportAsync(
            "V\t270101000000Z\t\t01\tunknown\t/", "V\t270101000000Z\t\t02\tunknown\t/", Held + "3\tunknown\t/", Held + "4\tunknown\t/",
            "R\t270101000000Z\t260520103005Z,superseded\t05\tunknown\t/");

        (ImportProgress progress, _) = await ImportAsync(
            "R\t270101000000Z\t260521000000Z\t01\tunknown\t/", Held + "2\tunknown\t/", "V\t270101000000Z\t\t03\tunknown\t/",
            "R\t270101000000Z\t260601000000Z,affiliationChanged\t04\tunknown\t/", "R\t270101000000Z\t260501000000Z,keyCompromise\t05\tunknown\t/",
            "V\t270101000000Z\t\t06\tunknown\t/");

        Assert.Equal((6, 0), (progress.Applied, progress.Problems));
        Assert.Equal("Revoked 2027 2026-05-21T00:00:00", await StatusAsync("01"));
        Assert.Equal("Held 2027 2026-05-20T10:30:05 CertificateHold", await StatusAsync("02"));
        Assert.Equal("Good 2027", await StatusAsync("03"));
        Assert.Equal("Revoked 2027 2026-05-20T10:30:05 AffiliationChanged", await StatusAsync("04")); // since the hold
        Assert.Equal("Revoked 2027 2026-05-01T00:00:00 KeyCompromise", await StatusAsync("05"));
        Assert.Equal("Good 2027", await StatusAsync("06"));
    }

    [Fact]
    public async Task Import_HeldReleasedAndHeldAgain_AppliesEachChange()
    {
        const string Held = "R\t270101000000Z\t260520103005Z,certificateHold\t01\tunknown\t/";
        const string Good = "V\t270101000000Z\t\t01\tunknown\t/";

        foreach ((string line, string expected) in new[] { (Held, "Held"), (Good, "Good"), (Held, "Held"), (Good, "Good"), (Held, "Held") })
        {
            (ImportProgress progress, _) = await ImportAsync(line);
            Assert.Equal(0, progress.Duplicates + progress.Problems);
            Assert.StartsWith(expected, await StatusAsync("01"));
        }
    }

    [Fact]
    public async Task Import_OfWhatContradictsARevocation_IsAProblemAndChangesNothing()
    {
        await ImportAsync("R\t270101000000Z\t260520103005Z,superseded\t01\tunknown\t/", "R\t270101000000Z\t260520103005Z,superseded\t02\tunknown\t/",
            "R\t270101000000Z\t260520103005Z,superseded\t03\tunknown\t/");

        (ImportProgress progress, IReadOnlyList<ImportProblem> problems) = await ImportAsync(
            "V\t270101000000Z\t\t01\tunknown\t/", "R\t270101000000Z\t260520103005Z,certificateHold\t02\tunknown\t/",
            "R\t270101000000Z\t260520103005Z,affiliationChanged\t03\tunknown\t/");

        Assert.Equal((0, 3), (progress.Applied, progress.Problems));
        Assert.Equal([1, 2, 3], problems.Select(problem => problem.Line));
        Assert.Contains("recorded as revoked", problems[0].Problem);
        Assert.Contains("recorded as revoked", problems[1].Problem);
        Assert.Contains("revoked for good", problems[2].Problem);
        Assert.Equal("Revoked 2027 2026-05-20T10:30:05 Superseded", await StatusAsync("03"));
    }

    [Fact]
    public async Task Import_OfWrongLines_NamesThemAndTakesTheRest()
    {
        (ImportProgress progress, IReadOnlyList<ImportProblem> problems) = await ImportAsync(
            "nonsense", "V\t270101000000Z\t\t01\tunknown\t/", "R\t270101000000Z\t990101000000Z\t02\tunknown\t/", "R\t270101000000Z\t20990101000000Z\t03\tunknown\t/");

        Assert.Equal((4, 4, 2), (progress.Lines, progress.Applied, progress.Problems));
        Assert.Equal([1, 4], problems.Select(problem => problem.Line));
        Assert.Contains("future", problems[1].Problem);
        Assert.Equal("Good 2027", await StatusAsync("03"));
    }

    [Fact]
    public async Task Import_OfOneSerialTwice_TakesTheGravestLine()
    {
        (_, IReadOnlyList<ImportProblem> problems) = await ImportAsync(
            "V\t270101000000Z\t\t01\tunknown\t/", "R\t270101000000Z\t260520103005Z\t0001\tunknown\t/", "R\t270101000000Z\t260519103005Z,certificateHold\t01\tunknown\t/");

        Assert.Equal([3, 1], problems.Select(problem => problem.Line));
        Assert.Equal("Revoked 2027 2026-05-20T10:30:05", await StatusAsync("01"));
    }

    [Fact]
    public async Task Import_OfARevocationFedWithoutIssuance_AddsTheNotAfter()
    {
        await _sequencer.SubmitAsync(
            new RevocationEvent { Id = "feed-1", Serial = SerialNumber.ParseHex("01"), Kind = EventKind.Revoked, At = _clock.GetUtcNow(), Reason = RevocationReason.Superseded },
            CancellationToken.None);

        (ImportProgress progress, _) = await ImportAsync("R\t270101000000Z\t20260615120000Z,superseded\t01\tunknown\t/");

        Assert.Equal((1, 0), (progress.Applied, progress.Problems));
        Assert.Equal("Revoked 2027 2026-06-15T12:00:00 Superseded", await StatusAsync("01"));
    }

    [Fact]
    public async Task Import_OfVeryLongSerials_GivesEachItsId()
    {
        string[] serials = [new string('A', 60), new string('A', 200), new string('A', 2000), new string('A', 1999) + "B"];

        (ImportProgress progress, _) = await ImportAsync([.. serials.Select(serial => $"R\t270101000000Z\t260520103005Z\t{serial}\tunknown\t/")]);

        Assert.Equal((8, 0), (progress.Applied, progress.Problems));
    }

    [Fact]
    public async Task Import_OfManyChunks_ReportsProgressAndAppliesAll()
    {
        List<ImportProgress> seen = [];
        StringBuilder index = new();
        for (int i = 0; i < 12_000; i++)
        {
            // A multiplication by an odd number: every serial once, in no order.
            index.Append($"{(i % 10 == 0 ? "R\t270101000000Z\t260520103005Z" : "V\t270101000000Z\t")}\t{unchecked((uint)i * 2654435761):X8}\tunknown\t/CN={i}\n");
        }

        IndexImport import = new(_authority, s_issuer, _store, _clock, onProgress: seen.Add) { ChunkLines = 5_000 };
        ImportProgress progress = await import.RunAsync(new MemoryStream(Encoding.ASCII.GetBytes(index.ToString())), CancellationToken.None);

        Assert.Equal([5_000, 10_000, 12_000], seen.Select(step => step.Lines).Distinct());
        Assert.Equal(12_000, seen[^1].Settled);
        Assert.Equal((13_200, 0), (progress.Applied, progress.Problems));
        Assert.Equal(new StatusCounts(10_800, 1_200, 0), await _store.CountAsync(s_issuer, CancellationToken.None));
    }

    [Fact]
    public async Task Import_OfAnIndexMadeByOpenSsl_GivesWhatOpenSslSays()
    {
        using OpenSslCa ca = OpenSslCa.Create();
        string good = ca.Issue("good");
        Dictionary<string, string> revoked = new()
        {
            [ca.Revoke(ca.Issue("plain"))] = "Revoked",
            [ca.Revoke(ca.Issue("key"), "-crl_reason", "keyCompromise")] = "Revoked KeyCompromise",
            [ca.Revoke(ca.Issue("ca"), "-crl_reason", "CACompromise")] = "Revoked CaCompromise",
            [ca.Revoke(ca.Issue("affiliation"), "-crl_reason", "affiliationChanged")] = "Revoked AffiliationChanged",
            [ca.Revoke(ca.Issue("superseded"), "-crl_reason", "superseded")] = "Revoked Superseded",
            [ca.Revoke(ca.Issue("cessation"), "-crl_reason", "cessationOfOperation")] = "Revoked CessationOfOperation",
            [ca.Revoke(ca.Issue("hold"), "-crl_reason", "certificateHold")] = "Held CertificateHold",
            [ca.Revoke(ca.Issue("instruction"), "-crl_hold", "holdInstructionReject")] = "Held CertificateHold",
            [ca.Revoke(ca.Issue("compromise"), "-crl_compromise", "20260501000000Z")] = "Revoked KeyCompromise since 2026-05-01",
            [ca.Revoke(ca.Issue("ca-compromise"), "-crl_CA_compromise", "20260501000000Z")] = "Revoked CaCompromise since 2026-05-01",
        };
        _clock.SetUtcNow(DateTimeOffset.MaxValue.AddYears(-1)); // openssl dates by the machine's clock, wherever that stands

        (ImportProgress progress, IReadOnlyList<ImportProblem> problems) = await ImportAsync(File.ReadAllLines(ca.IndexFile));

        Assert.Empty(problems);
        Assert.Equal(11 + 10, progress.Applied);
        Assert.Equal("Good 2049", await StatusAsync(good));
        foreach ((string serial, string expected) in revoked)
        {
            string[] words = (await StatusAsync(serial)).Split(' ');
            Assert.Equal(expected, string.Join(' ', words.Where((_, i) => i is not (1 or 2)))); // without notAfter and time
        }
    }

    private async Task<(ImportProgress Progress, IReadOnlyList<ImportProblem> Problems)> ImportAsync(params string[] lines)
    {
        IndexImport import = new(_authority, s_issuer, _store, _clock);
        using MemoryStream stream = new(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        return (await import.RunAsync(stream, CancellationToken.None), import.Problems);
    }

    private async Task<string> StatusAsync(string serial)
    {
        CertificateStatus? status = await _store.FindStatusAsync(s_issuer, SerialNumber.ParseHex(serial), CancellationToken.None);
        string?[] words =
        [
            $"{status?.State}", $"{status?.NotAfter:yyyy}", $"{status?.RevocationTime:yyyy-MM-ddTHH:mm:ss}", $"{status?.Reason}",
            status?.InvalidityDate is { } date ? $"since {date:yyyy-MM-dd}" : "",
        ];
        return string.Join(' ', words.Where(word => word != ""));
    }

    private sealed class NoGateway : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
