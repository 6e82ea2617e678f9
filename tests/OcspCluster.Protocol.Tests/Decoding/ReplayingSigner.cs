namespace OcspCluster.Protocol.Tests;

/// <summary>Returns the signature that a message came with, and insists on being asked to sign the very same bytes.</summary>
internal sealed class ReplayingSigner(AlgorithmIdentifier algorithm, ReadOnlyMemory<byte> signature, ReadOnlyMemory<byte> signed) : OcspSigner
{
    public override AlgorithmIdentifier Algorithm { get; } = algorithm;

    public override byte[] Sign(ReadOnlySpan<byte> data)
    {
        Assert.Equal(signed.ToArray(), data.ToArray());
        return signature.ToArray();
    }
}
