using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Crls;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Import;

/// <summary>Standing sources: a CRL over HTTP, and an index that openssl ca writes.</summary>
public sealed class SourceTests : IAsyncDisposable
{
    private static readonly TestPki s_pki = TestPki.CreateRoot("crl source", TestKey.P256());
    private static readonly IssuerId s_issuer = new("ca");

    private readonly ScratchDirectory _directory = new();
    private readonly TestClock _clock = new();
    private readonly SqliteRevocationStore _store;
    private readonly LocalRevocationAuthority _authority;
    private readonly HttpClient _client = new();
    private WebApplication? _server;
    private byte[] _crl = [];
    private int _status = 200;
    private DateTimeOffset? _modified; // instead of an ETag
    private int _sent;
    private int _notModified;

    public SourceTests()
    {
        _store = SqliteRevocationStore.Open(_directory.Path);
        _authority = new LocalRevocationAuthority([new IssuerSequencer(s_issuer, _store, new NoGateway(), _clock)]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _client.Dispose();
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task CrlSource_IsFetchedOnceAndThenOnlyWhenItChanged()
    {
        RevocationSource source = await CrlSourceAsync();
        _crl = Crl(1, 0x01);

        Assert.Equal(TimeSpan.FromHours(1), await source.RunOnceAsync(CancellationToken.None));
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Equal((1, 1), (_sent, _notModified));
        _crl = Crl(2, 0x01, 0x02);
        await source.RunOnceAsync(CancellationToken.None);

        Assert.Equal((2, 1), (_sent, _notModified));
        Assert.Equal((2, 2, null, null), ((int)source.State.Number!, source.State.Applied, source.State.Error, source.Warning));
        Assert.Equal(CertificateState.Revoked, (await StatusAsync("02"))!.State);
    }

    [Fact]
    public async Task CrlSource_ThatWasWrittenInTheSecondOfTheAnswer_IsFetchedOnceMore()
    {
        RevocationSource source = await CrlSourceAsync();
        _crl = Crl(1, 0x01);
        _modified = TimeProvider.System.GetUtcNow(); // by the server's clock; the next CRL may be of the same second
        await source.RunOnceAsync(CancellationToken.None);
        _crl = Crl(2, 0x01, 0x02);
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Equal((2, 0), (_sent, _notModified));
        Assert.Equal(CertificateState.Revoked, (await StatusAsync("02"))!.State);

        _modified = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        await source.RunOnceAsync(CancellationToken.None);
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Equal((3, 1), (_sent, _notModified));
    }

    [Fact]
    public async Task CrlSource_ThatFails_IsToldOfAndTriedSooner()
    {
        RevocationSource source = await CrlSourceAsync();
        _crl = Crl(1, 0x01);
        await source.RunOnceAsync(CancellationToken.None);
        _status = 503;

        TimeSpan[] pauses = [await source.RunOnceAsync(CancellationToken.None), await source.RunOnceAsync(CancellationToken.None), await source.RunOnceAsync(CancellationToken.None)];

        Assert.Equal([30, 60, 120], pauses.Select(pause => pause.TotalSeconds));
        Assert.Contains("503", source.Warning);
        Assert.Contains("lasts until", source.Warning);
        Assert.False(source.IsStale);
        _clock.Advance(TimeSpan.FromDays(8));
        Assert.True(source.IsStale);
        Assert.Contains("ended", source.Warning);
    }

    [Fact]
    public async Task CrlSource_ThatIsNotTheIssuers_ChangesNothing()
    {
        RevocationSource source = await CrlSourceAsync();
        _crl = (Raw(1, 0x01) with { Signer = TestKey.P256() }).Encode();
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Contains("did not sign", source.Warning);

        _crl = "<html>maintenance</html>"u8.ToArray();
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Contains("no CRL", source.Warning);

        _crl = new byte[5000];
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Contains("more than 4096 octets", source.Warning);
        Assert.Equal(0, await _store.GetPositionAsync(s_issuer, CancellationToken.None));
    }

    [Fact]
    public async Task CrlSource_WhoseCrlEndsSoon_IsLookedAtBefore()
    {
        RevocationSource source = await CrlSourceAsync();
        _crl = (Raw(1, 0x01) with { NextUpdate = _clock.GetUtcNow().AddMinutes(10) }).Encode();

        TimeSpan pause = await source.RunOnceAsync(CancellationToken.None);

        Assert.InRange(pause, TimeSpan.FromMinutes(8), TimeSpan.FromMinutes(9));
    }

    [Fact]
    public async Task IndexSource_OverALifeOfOpenSslCa_TakesEveryChange()
    {
        using OpenSslCa ca = OpenSslCa.Create();
        _clock.SetUtcNow(DateTimeOffset.MaxValue.AddYears(-1)); // openssl dates by the machine's clock, wherever that stands
        RevocationSource source = RevocationSources.OfIndex(s_issuer, ca.IndexFile, TimeSpan.FromSeconds(10), _authority, _store, _clock);
        string first = ca.Issue("first");
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Equal(CertificateState.Good, (await StatusAsync(first))!.State);

        string second = ca.Issue("second");
        ca.Revoke(first, "-crl_reason", "certificateHold");
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Equal(CertificateState.Good, (await StatusAsync(second))!.State);
        Assert.Equal(CertificateState.Held, (await StatusAsync(first))!.State);

        long position = await _store.GetPositionAsync(s_issuer, CancellationToken.None);
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Equal(position, await _store.GetPositionAsync(s_issuer, CancellationToken.None));
        Assert.Null(source.Warning);
    }

    [Fact]
    public async Task IndexSource_WithAHalfLine_WaitsForTheRest()
    {
        string file = _directory.File("index.txt");
        await File.WriteAllTextAsync(file, "V\t491231235959Z\t\t01\tunknown\t/CN=a\nV\t491231235959Z\t\t0");
        RevocationSource source = RevocationSources.OfIndex(s_issuer, file, TimeSpan.FromSeconds(10), _authority, _store, _clock);
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Equal((1, null), (source.State.Applied, source.Warning));

        await File.AppendAllTextAsync(file, "2\tunknown\t/CN=b");
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Null(await StatusAsync("02"));
        await source.RunOnceAsync(CancellationToken.None); // it stood still: that is all of it

        Assert.Equal(CertificateState.Good, (await StatusAsync("02"))!.State);
        Assert.Null(await StatusAsync("00"));
    }

    [Fact]
    public async Task IndexSource_WithABrokenLineOrWithoutItsFile_IsToldOf()
    {
        string file = _directory.File("index.txt");
        RevocationSource source = RevocationSources.OfIndex(s_issuer, file, TimeSpan.FromSeconds(10), _authority, _store, _clock);
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Contains("cannot be read", source.Warning);

        await File.WriteAllTextAsync(file, "X\t491231235959Z\t\t01\tunknown\t/CN=a\nV\t491231235959Z\t\t02\tunknown\t/CN=b\n");
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Contains("Line 1", source.Warning);
        Assert.Equal(1, source.State.Applied);

        await File.WriteAllTextAsync(file, "V\t491231235959Z\t\t01\tunknown\t/CN=a, mended\nV\t491231235959Z\t\t02\tunknown\t/CN=b\n");
        await source.RunOnceAsync(CancellationToken.None);
        Assert.Equal((2, null), (source.State.Applied, source.Warning));
    }

    private static RawCrl Raw(int number, params byte[] serials) => new(s_pki)
    {
        Number = number,
        ThisUpdate = new DateTimeOffset(2026, 6, 15, 9, 0, 0, TimeSpan.Zero).AddMinutes(number),
        Entries = serials.Select(serial => RawCrlEntry.WithReason([serial], new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero), 4)),
    };

    private static byte[] Crl(int number, params byte[] serials) => Raw(number, serials).Encode();

    private async Task<RevocationSource> CrlSourceAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(AnswerAsync);
        await _server.StartAsync();
        CrlSourceOptions options = new() { Location = _server.Urls.First() + "/ca.crl", MaxBytes = 4096 };
        using SigningCredential credential = new(s_pki.IssueResponder("responder", TestKey.P256()).Certificate, OcspSigner.FromECDsa(System.Security.Cryptography.ECDsa.Create()));
        Issuer issuer = new(s_issuer, [s_pki.Certificate], [credential]);
        return RevocationSources.OfCrl(issuer, options, _authority, _store, new CrlRecordDirectory(_directory.Path), _client, _clock);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        string tag = $"\"{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(_crl))}\"";
        if (_status == 200 && (_modified is null ? context.Request.Headers.IfNoneMatch == tag : context.Request.GetTypedHeaders().IfModifiedSince is not null))
        {
            _notModified++;
            context.Response.StatusCode = (int)HttpStatusCode.NotModified;
            return;
        }

        _sent++;
        context.Response.StatusCode = _status;
        if (_modified is { } modified)
        {
            context.Response.GetTypedHeaders().LastModified = modified;
        }
        else
        {
            context.Response.Headers.ETag = tag;
        }

        await context.Response.Body.WriteAsync(_crl);
    }

    private ValueTask<CertificateStatus?> StatusAsync(string serial) => _store.FindStatusAsync(s_issuer, SerialNumber.ParseHex(serial), CancellationToken.None);

    private sealed class NoGateway : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
