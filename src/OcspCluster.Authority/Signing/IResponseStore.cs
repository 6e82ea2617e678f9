using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>A signed answer as it is kept, and what it was made from. Immutable.</summary>
public sealed record KeptResponse
{
    /// <summary>The certificate that it answers for.</summary>
    public required SerialNumber Serial { get; init; }

    /// <summary>The DER of the CertID that it answers.</summary>
    public required ReadOnlyMemory<byte> CertId { get; init; }

    /// <summary>The SHA-256 of the certificate of who signed: 32 octets.</summary>
    public required Digest Credential { get; init; }

    /// <summary>Whether it was signed for clients that prefer nothing.</summary>
    public required bool IsDefault { get; init; }

    /// <summary>The journal position of the status that it was made from, at least 1.</summary>
    public required long Position { get; init; }

    /// <summary>When it was signed.</summary>
    public required DateTimeOffset ProducedAt { get; init; }

    /// <summary>Its thisUpdate.</summary>
    public required DateTimeOffset ThisUpdate { get; init; }

    /// <summary>Its nextUpdate.</summary>
    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>The DER of the OCSPResponse.</summary>
    public required ReadOnlyMemory<byte> Encoded { get; init; }
}

/// <summary>
/// Signed answers that outlive the process: a restart and a cache that is smaller than the set need no new signatures. Thread-safe.
/// </summary>
/// <remarks>
/// A convenience, not a truth: what is lost is signed again, so nothing has to be flushed, and an answer may vanish at any time, those whose nextUpdate lies behind first.
/// Answers go when they have ended, and in no other way: whoever is given one has read the status first. An implementation sees to it that nothing is left of an issuer of which nothing more is saved,
/// of a certificate that ended, and of a signer that was replaced.
/// What is returned is what was saved, or an exception. Whether it may be given is for <see cref="ResponseFactory.Restore"/> to say.
/// One answer is kept for each issuer, CertID (form and serial number) and credential: the one that was saved last.
/// Every method may throw <see cref="RevocationStoreException"/>.
/// </remarks>
public interface IResponseStore : IAsyncDisposable
{
    /// <summary>Saves answers of one issuer; of several for the same place the last one stands.</summary>
    ValueTask SaveAsync(IssuerId issuer, IReadOnlyList<KeptResponse> responses, CancellationToken cancellationToken);

    /// <summary>Every answer for one certificate, in no order.</summary>
    ValueTask<IReadOnlyList<KeptResponse>> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken);

    /// <summary>Every answer of an issuer, in no order, as a stream of bounded memory. Those that are saved or end meanwhile may be in it or not.</summary>
    IAsyncEnumerable<KeptResponse> ReadAsync(IssuerId issuer, CancellationToken cancellationToken);
}
