using System.Security.Cryptography;
using OcspCluster.Protocol;

namespace OcspCluster.Authority.Tests.Signing;

/// <summary>A signer that counts, fails and hangs as a test likes.</summary>
internal sealed class StubSigner(OcspSigner inner, bool isRemote) : OcspSigner
{
    private int _calls;
    private int _atOnce;
    private int _mostAtOnce;

    /// <summary>Calls wait until it is set.</summary>
    public ManualResetEventSlim Gate { get; } = new(initialState: true);

    public bool IsDown { get; set; }

    public int Calls => Volatile.Read(ref _calls);

    public int MostAtOnce => Volatile.Read(ref _mostAtOnce);

    public override bool IsRemote => isRemote;

    public override AlgorithmIdentifier Algorithm => inner.Algorithm;

    public override byte[] Sign(ReadOnlySpan<byte> data)
    {
        Interlocked.Increment(ref _calls);
        int atOnce = Interlocked.Increment(ref _atOnce);
        for (int most = Volatile.Read(ref _mostAtOnce); atOnce > most && Interlocked.CompareExchange(ref _mostAtOnce, atOnce, most) != most; most = Volatile.Read(ref _mostAtOnce))
        {
        }

        try
        {
            Assert.True(Gate.Wait(TimeSpan.FromSeconds(30)), "A test left the signer hanging.");
            return IsDown ? throw new CryptographicException("The HSM is away.") : inner.Sign(data);
        }
        finally
        {
            Interlocked.Decrement(ref _atOnce);
        }
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            inner.Dispose();
            Gate.Dispose();
        }
    }
}
