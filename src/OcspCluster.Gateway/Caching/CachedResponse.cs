using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>A signed answer in the cache, and the status that it was made from. Only <see cref="HoldUntil"/> changes it.</summary>
internal sealed class CachedResponse(ReadOnlyMemory<byte> certId, SignedResponse response, CertificateStatus? status)
{
    private long _heldUntil;

    /// <summary>The DER of the CertID that it answers, which tells apart the forms of one certificate's CertID.</summary>
    public ReadOnlyMemory<byte> CertId { get; } = certId;

    public SignedResponse Response { get; } = response;

    /// <summary>What the status source told when it was signed; null for a certificate that the source did not know.</summary>
    public CertificateStatus? Status { get; } = status;

    public bool IsRevoked => Status?.State is CertificateState.Revoked;

    /// <summary>Whether it may be given at a monotonic time without asking the status source again.</summary>
    public bool IsHeld(long timestamp) => timestamp < Volatile.Read(ref _heldUntil);

    /// <summary>Lets it be given until a monotonic time.</summary>
    public void HoldUntil(long timestamp) => Volatile.Write(ref _heldUntil, timestamp);
}
