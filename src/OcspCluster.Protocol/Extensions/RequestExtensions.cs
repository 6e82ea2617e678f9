using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>The response types that a client takes (AcceptableResponses, RFC 6960 §4.4.3).</summary>
public static class AcceptableResponses
{
    /// <summary>The OID of the extension.</summary>
    public const string ExtensionOid = Oids.OcspResponse;

    /// <summary>id-pkix-ocsp-basic, the one type that is defined.</summary>
    public const string Basic = Oids.OcspBasic;

    /// <summary>Makes the extension.</summary>
    public static OcspExtension Create(params IEnumerable<string> responseTypes)
    {
        ArgumentNullException.ThrowIfNull(responseTypes);
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (string type in responseTypes)
            {
                writer.WriteObjectIdentifier(type);
            }
        }

        return new OcspExtension(ExtensionOid, writer.Encode());
    }

    // AcceptableResponses ::= SEQUENCE OF OBJECT IDENTIFIER
    internal static IReadOnlyList<string>? Read(OcspExtensionCollection extensions) =>
        ExtensionValue.Read<IReadOnlyList<string>>(extensions, ExtensionOid, static reader =>
        {
            AsnReader list = reader.ReadSequence();
            List<string> types = [];
            while (list.HasData)
            {
                types.Add(list.ReadObjectIdentifier());
            }

            return types;
        });
}

/// <summary>One signature algorithm that a client would like (PreferredSignatureAlgorithm, RFC 6960 §4.4.7).</summary>
/// <param name="Signature">How the response should be signed.</param>
/// <param name="PublicKey">The kind of key that should sign, where the client names it.</param>
public sealed record PreferredSignatureAlgorithm(AlgorithmIdentifier Signature, AlgorithmIdentifier? PublicKey = null)
{
    /// <summary>The OID of the extension.</summary>
    public const string ExtensionOid = Oids.OcspPreferredSignatureAlgorithms;

    /// <summary>Makes the extension, the most wanted first.</summary>
    public static OcspExtension CreateExtension(params IEnumerable<PreferredSignatureAlgorithm> preferences)
    {
        ArgumentNullException.ThrowIfNull(preferences);
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (PreferredSignatureAlgorithm preference in preferences)
            {
                using (writer.PushSequence())
                {
                    preference.Signature.Write(writer);
                    preference.PublicKey?.Write(writer);
                }
            }
        }

        return new OcspExtension(ExtensionOid, writer.Encode());
    }

    /// <summary>
    /// Whether a signature by this algorithm and key is what the client would like. Never when the algorithm is weak: no preference makes an answer worse (RFC 6960 §5.1.1).
    /// </summary>
    /// <param name="signature">The algorithm of the signature.</param>
    /// <param name="key">The key that signs; a client that names <see cref="PublicKey"/> wants this algorithm, and where it gives parameters, this curve.</param>
    public bool IsMetBy(AlgorithmIdentifier signature, PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(key);
        return !SignatureAlgorithms.IsWeak(signature)
            && SignatureAlgorithms.IsMeantBy(Signature, signature)
            && (PublicKey is null || SignatureAlgorithms.IsMeantBy(PublicKey, new AlgorithmIdentifier(key.Oid.Value!, key.EncodedParameters?.RawData)));
    }

    // PreferredSignatureAlgorithms ::= SEQUENCE OF SEQUENCE { sigIdentifier AlgorithmIdentifier, certIdentifier AlgorithmIdentifier OPTIONAL }
    internal static IReadOnlyList<PreferredSignatureAlgorithm>? Read(OcspExtensionCollection extensions) =>
        ExtensionValue.Read<IReadOnlyList<PreferredSignatureAlgorithm>>(extensions, ExtensionOid, static reader =>
        {
            AsnReader list = reader.ReadSequence();
            List<PreferredSignatureAlgorithm> preferences = [];
            while (list.HasData)
            {
                AsnReader preference = list.ReadSequence();
                AlgorithmIdentifier signature = AlgorithmIdentifier.Read(preference);
                AlgorithmIdentifier? publicKey = preference.HasData ? AlgorithmIdentifier.Read(preference) : null;
                preference.End();
                preferences.Add(new PreferredSignatureAlgorithm(signature, publicKey));
            }

            return preferences;
        });
}

/// <summary>Where the certificate's own responder is, for one who routes requests (ServiceLocator, RFC 6960 §4.4.6).</summary>
public sealed class ServiceLocator
{
    /// <summary>The OID of the extension, which belongs to a single request.</summary>
    public const string ExtensionOid = Oids.OcspServiceLocator;

    /// <summary>Takes the issuer's name and the DER of the certificate's AuthorityInfoAccess value; empty for none.</summary>
    public ServiceLocator(X500DistinguishedName issuer, ReadOnlyMemory<byte> authorityInfoAccess = default)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        Issuer = issuer;
        AuthorityInfoAccess = authorityInfoAccess;
    }

    /// <summary>The name of the certificate's issuer.</summary>
    public X500DistinguishedName Issuer { get; }

    /// <summary>The DER of AuthorityInfoAccessSyntax (RFC 5280 §4.2.2.1); empty for none. Never fetched by anything here.</summary>
    public ReadOnlyMemory<byte> AuthorityInfoAccess { get; }

    /// <summary>The extension that carries it.</summary>
    public OcspExtension ToExtension()
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(Issuer.RawData);
            if (!AuthorityInfoAccess.IsEmpty)
            {
                writer.WriteEncodedValue(AuthorityInfoAccess.Span);
            }
        }

        return new OcspExtension(ExtensionOid, writer.Encode());
    }

    /// <summary>Reads it from the extensions of a single request; null when it is not there.</summary>
    /// <exception cref="OcspFormatException">The value is not a ServiceLocator.</exception>
    // ServiceLocator ::= SEQUENCE { issuer Name, locator AuthorityInfoAccessSyntax OPTIONAL }
    // (optional in RFC 6960's ASN.1 module of appendix B.1; the prose of §4.4.6 lacks the word)
    public static ServiceLocator? Read(OcspExtensionCollection extensions) =>
        ExtensionValue.Read(extensions, ExtensionOid, static reader =>
        {
            AsnReader sequence = reader.ReadSequence();
            X500DistinguishedName issuer = GeneralName.ReadName(sequence);
            ReadOnlyMemory<byte> access = sequence.HasData ? sequence.ReadEncodedValue() : default;
            sequence.End();
            return new ServiceLocator(issuer, access);
        });
}
