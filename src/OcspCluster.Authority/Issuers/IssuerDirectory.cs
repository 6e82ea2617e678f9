using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>An issuer and the one of its certificates that a CertID names.</summary>
/// <param name="Issuer">The issuer.</param>
/// <param name="Certificate">The certificate whose name and key the CertID hashes.</param>
public readonly record struct NamedIssuer(Issuer Issuer, X509Certificate2 Certificate);

/// <summary>Finds the issuer that a CertID names: by name hash and key hash, both (RFC 6960 §4.1.1). Immutable; thread-safe.</summary>
public sealed class IssuerDirectory
{
    private readonly Dictionary<Key, NamedIssuer> _issuers = [];

    /// <summary>Makes a directory.</summary>
    /// <param name="issuers">The issuers.</param>
    /// <param name="hashes">The hash algorithms that clients may name issuers by. <see cref="CertIdHash.All"/> where none are given.</param>
    /// <exception cref="ArgumentException">Two issuers have one id, or one name and key.</exception>
    public IssuerDirectory(IEnumerable<Issuer> issuers, IReadOnlyList<CertIdHash>? hashes = null)
    {
        ArgumentNullException.ThrowIfNull(issuers);
        Issuers = [.. issuers];
        Hashes = [.. hashes ?? CertIdHash.All];
        foreach (Issuer issuer in Issuers)
        {
            foreach (X509Certificate2 certificate in issuer.Certificates)
            {
                foreach (CertIdHash hash in Hashes)
                {
                    Add(issuer, certificate, hash);
                }
            }
        }

        if (Issuers.GroupBy(issuer => issuer.Id).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Two issuers have the id '{twice.Key}'.", nameof(issuers));
        }
    }

    /// <summary>All issuers, in the order given.</summary>
    public IReadOnlyList<Issuer> Issuers { get; }

    /// <summary>The hash algorithms that clients may name issuers by.</summary>
    public IReadOnlyList<CertIdHash> Hashes { get; }

    /// <summary>Finds the issuer that a CertID names.</summary>
    public bool TryFind(CertId certId, [NotNullWhen(true)] out NamedIssuer? issuer)
    {
        ArgumentNullException.ThrowIfNull(certId);
        issuer = _issuers.TryGetValue(new Key(certId.HashAlgorithm.Oid, certId.IssuerNameHash, certId.IssuerKeyHash), out NamedIssuer found) ? found : null;
        return issuer is not null;
    }

    private void Add(Issuer issuer, X509Certificate2 certificate, CertIdHash hash)
    {
        Key key = new(hash.Oid, hash.Compute(certificate.SubjectName.RawData), hash.Compute(certificate.PublicKey.EncodedKeyValue.RawData));
        if (!_issuers.TryAdd(key, new NamedIssuer(issuer, certificate)) && _issuers[key].Issuer != issuer)
        {
            throw new ArgumentException($"The issuers '{_issuers[key].Issuer.Id}' and '{issuer.Id}' have the same name and key ('{certificate.Subject}'): make them one.");
        }
    }

    /// <summary>The three fields of a CertID that name its issuer, compared by content.</summary>
    private readonly struct Key(string oid, ReadOnlyMemory<byte> nameHash, ReadOnlyMemory<byte> keyHash) : IEquatable<Key>
    {
        private readonly string _oid = oid;
        private readonly ReadOnlyMemory<byte> _nameHash = nameHash;
        private readonly ReadOnlyMemory<byte> _keyHash = keyHash;

        public bool Equals(Key other) =>
            _keyHash.Span.SequenceEqual(other._keyHash.Span) && _nameHash.Span.SequenceEqual(other._nameHash.Span) && _oid == other._oid;

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode()
        {
            HashCode hash = default;
            hash.AddBytes(_keyHash.Span); // the name hash says hardly more, and Equals compares it
            return hash.ToHashCode();
        }
    }
}
