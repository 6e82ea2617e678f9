using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests;

/// <summary>What the short way from socket to answer does without; times are for ./bench.sh, allocations are exact and stand here.</summary>
public sealed class PlainAnswersTests
{
    private readonly ResponderUnderTest _test = new();
    private readonly PlainAnswers _answers;

    public PlainAnswersTests()
    {
        _test.Source.Find = _ => CertificateStatus.Good with { Position = 7, NotAfter = _test.Clock.GetUtcNow().AddDays(30), HoldsFor = Timeout.InfiniteTimeSpan };
        OcspGatewayOptions options = new();
        _answers = new PlainAnswers(_test.Responder, new OcspHttpHandler(_test.Responder, Options.Create(options), _test.Clock), options, _test.Clock);
    }

    private static byte[] Get(byte[] request) => Encoding.ASCII.GetBytes($"GET /{Testing.GetTarget.Escaped(request)} HTTP/1.1\r\nHost: a\r\n\r\n");

    private static byte[] Post(byte[] request) => [.. Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\nContent-Length: {request.Length}\r\n\r\n"), .. request];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hit_AllocatesNothing(bool isPost)
    {
        byte[] request = ResponderUnderTest.Ask(ResponderUnderTest.Serial);
        await _test.AnswerAsync(request);
        byte[] octets = isPost ? Post(request) : Get(request);
        FixedWriter output = new();
        Ask(octets, output); // what is made once is made here
        int hits = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            output.Clear();
            _ = RequestHead.Read(octets, out RequestHead head);
            hits += _answers.TryAnswer(in head, output, closes: false, out byte[]? missed) && missed is null ? 1 : 0;
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(1000, hits);
        Assert.Equal(0, allocated);
    }

    [Fact]
    public async Task Hit_EveryFormOfACertId_IsTheResponders()
    {
        foreach (CertIdHash hash in CertIdHash.All)
        {
            foreach (bool hasNull in (bool[])[true, false])
            {
                byte[] request = new OcspRequestBuilder().Add(CertId.Create(Conformance.Issuers.Alpha.Certificate, ResponderUnderTest.Serial, hash, hasNull)).Build().Encoded.ToArray();
                byte[] expected = (await _test.AnswerAsync(request)).Body.ToArray();
                FixedWriter output = new();
                Assert.Null(Ask(Get(request), output));
                Assert.Equal(expected, output.Written[(output.Written.AsSpan().IndexOf("\r\n\r\n"u8) + 4)..]);
            }
        }
    }

    // Whatever is more than plain is judged by the responder itself.
    [Fact]
    public async Task Request_ThatIsMoreThanPlain_IsMissed()
    {
        await _test.AnswerAsync();
        await _test.AnswerAsync(ResponderUnderTest.AskPreferring("1.2.840.113549.1.1.11"));
        FixedWriter output = new();
        Assert.NotNull(Ask(Post(ResponderUnderTest.AskWithNonce(ResponderUnderTest.Serial)), output));
        Assert.NotNull(Ask(Post(ResponderUnderTest.AskPreferring("1.2.840.113549.1.1.11")), output));
        Assert.NotNull(Ask(Post([0x30, 0x00]), output));
        Assert.NotNull(Ask(Post([.. ResponderUnderTest.Ask(ResponderUnderTest.Serial), 0x00]), output));
        Assert.Null(Ask(Post(ResponderUnderTest.Ask(ResponderUnderTest.Serial)), output));
    }

    // The same conditions as the long way has: due, made due, forgotten.
    [Fact]
    public async Task Hit_DueOrForgotten_IsMissed()
    {
        byte[] octets = Post(ResponderUnderTest.Ask(ResponderUnderTest.Serial));
        FixedWriter output = new();
        await _test.AnswerAsync();
        Assert.Null(Ask(octets, output));

        _test.Cache.Find(ResponderUnderTest.Id, ResponderUnderTest.Serial)[0].IsMadeDue = true;
        Assert.NotNull(Ask(octets, output));
        await _test.AnswerAsync();
        Assert.Null(Ask(octets, output));

        _test.Cache.Forget(ResponderUnderTest.Id, ResponderUnderTest.Serial);
        Assert.NotNull(Ask(octets, output));
        await _test.AnswerAsync();
        Assert.Null(Ask(octets, output));

        _test.Clock.Advance(IssuerPolicy.Default.Validity * 0.51);
        Assert.NotNull(Ask(octets, output));
    }

    [Fact]
    public async Task Hit_OnlyWhileTheStatusHolds()
    {
        _test.Source.Find = _ => CertificateStatus.Good with { HoldsFor = TimeSpan.FromSeconds(10) };
        byte[] octets = Post(ResponderUnderTest.Ask(ResponderUnderTest.Serial));
        FixedWriter output = new();
        await _test.AnswerAsync();
        Assert.Null(Ask(octets, output));
        _test.Clock.Advance(TimeSpan.FromSeconds(11));
        Assert.NotNull(Ask(octets, output));
    }

    private byte[]? Ask(byte[] octets, FixedWriter output)
    {
        output.Clear();
        Assert.Equal(HeadResult.Plain, RequestHead.Read(octets, out RequestHead head));
        Assert.True(_answers.TryAnswer(in head, output, closes: false, out byte[]? missed));
        return missed;
    }

    /// <summary>Writes into memory of its own, and allocates nothing.</summary>
    private sealed class FixedWriter : PipeWriter
    {
        private readonly byte[] _memory = new byte[16_384];
        private int _length;

        public byte[] Written => _memory[.._length];

        public void Clear() => _length = 0;

        public override void Advance(int bytes) => _length += bytes;

        public override Span<byte> GetSpan(int sizeHint = 0) => _memory.AsSpan(_length);

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory.AsMemory(_length);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush() => throw new NotSupportedException();

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
