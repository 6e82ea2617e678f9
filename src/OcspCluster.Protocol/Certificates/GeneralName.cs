using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>The nine forms of a GeneralName, by their tags (RFC 5280 §4.2.1.6).</summary>
public enum GeneralNameKind
{
    /// <summary>An OID and a value of its type.</summary>
    OtherName = 0,

    /// <summary>A mail address.</summary>
    Rfc822Name = 1,

    /// <summary>A DNS name.</summary>
    DnsName = 2,

    /// <summary>An X.400 address.</summary>
    X400Address = 3,

    /// <summary>A distinguished name.</summary>
    DirectoryName = 4,

    /// <summary>An EDI party name.</summary>
    EdiPartyName = 5,

    /// <summary>A URI.</summary>
    UniformResourceIdentifier = 6,

    /// <summary>An IP address.</summary>
    IpAddress = 7,

    /// <summary>An OID.</summary>
    RegisteredId = 8,
}

/// <summary>A name in one of nine forms (GeneralName, RFC 5280 §4.2.1.6). Immutable.</summary>
public sealed class GeneralName
{
    private GeneralName(GeneralNameKind kind, ReadOnlyMemory<byte> encoded)
    {
        Kind = kind;
        Encoded = encoded;
    }

    /// <summary>The form.</summary>
    public GeneralNameKind Kind { get; }

    /// <summary>The DER.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The distinguished name, when it is one; else null.</summary>
    public X500DistinguishedName? DirectoryName => Kind == GeneralNameKind.DirectoryName
        ? new X500DistinguishedName(new AsnReader(Encoded, AsnEncodingRules.DER).ReadExplicit(4).ReadEncodedValue().Span)
        : null;

    /// <summary>The text of a mail address, DNS name or URI; else null.</summary>
    public string? Text => Kind is GeneralNameKind.Rfc822Name or GeneralNameKind.DnsName or GeneralNameKind.UniformResourceIdentifier
        ? new AsnReader(Encoded, AsnEncodingRules.DER).ReadCharacterString(UniversalTagNumber.IA5String, Der.Implicit((int)Kind))
        : null;

    /// <summary>A distinguished name.</summary>
    public static GeneralName FromDirectoryName(X500DistinguishedName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence(Der.Explicit(4)))
        {
            writer.WriteEncodedValue(name.RawData);
        }

        return new GeneralName(GeneralNameKind.DirectoryName, writer.Encode());
    }

    /// <summary>A mail address.</summary>
    public static GeneralName FromRfc822Name(string address) => FromText(GeneralNameKind.Rfc822Name, address);

    /// <summary>A DNS name.</summary>
    public static GeneralName FromDnsName(string name) => FromText(GeneralNameKind.DnsName, name);

    /// <summary>A URI.</summary>
    public static GeneralName FromUri(string uri) => FromText(GeneralNameKind.UniformResourceIdentifier, uri);

    /// <summary>A name of any form, from its DER.</summary>
    /// <exception cref="OcspFormatException">The bytes are not a GeneralName.</exception>
    public static GeneralName Decode(ReadOnlyMemory<byte> encoded) => Der.Read(encoded, static bytes =>
    {
        AsnReader reader = new(bytes, AsnEncodingRules.DER);
        GeneralName name = Read(reader);
        reader.End();
        return name;
    });

    // GeneralName ::= CHOICE { otherName [0], rfc822Name [1] IA5String, dNSName [2] IA5String, x400Address [3], directoryName [4] Name,
    //     ediPartyName [5], uniformResourceIdentifier [6] IA5String, iPAddress [7] OCTET STRING, registeredID [8] OBJECT IDENTIFIER }
    // IMPLICIT tags, but a CHOICE (Name) keeps its own: [4] is EXPLICIT.
    internal static GeneralName Read(AsnReader reader)
    {
        Asn1Tag tag = reader.PeekTag();
        if (tag.TagClass != TagClass.ContextSpecific || tag.TagValue is < 0 or > 8)
        {
            throw new OcspFormatException(DecodeError.InvalidName, "Not a GeneralName (RFC 5280 §4.2.1.6).");
        }

        GeneralName name = new((GeneralNameKind)tag.TagValue, reader.ReadEncodedValue());
        try
        {
            name.Check();
        }
        catch (AsnContentException e)
        {
            throw new OcspFormatException(DecodeError.InvalidName, $"Not a {name.Kind} (RFC 5280 §4.2.1.6): {e.Message}", e);
        }

        return name;
    }

    internal void Write(AsnWriter writer) => writer.WriteEncodedValue(Encoded.Span);

    // Name ::= CHOICE { rdnSequence SEQUENCE OF SET SIZE (1..MAX) OF SEQUENCE { type OBJECT IDENTIFIER, value ANY } }
    internal static X500DistinguishedName ReadName(AsnReader reader)
    {
        ReadOnlyMemory<byte> encoded = reader.PeekEncodedValue();
        try
        {
            AsnReader name = reader.ReadSequence();
            while (name.HasData)
            {
                AsnReader relative = name.ReadSetOf(skipSortOrderValidation: true); // some CAs' names were never sorted
                do
                {
                    AsnReader attribute = relative.ReadSequence();
                    _ = attribute.ReadObjectIdentifier();
                    _ = attribute.ReadEncodedValue();
                    attribute.End();
                }
                while (relative.HasData);
            }
        }
        catch (AsnContentException e)
        {
            throw new OcspFormatException(DecodeError.InvalidName, "Not a Name (RFC 5280 §4.1.2.4): " + e.Message, e);
        }

        return new X500DistinguishedName(encoded.Span);
    }

    private static GeneralName FromText(GeneralNameKind kind, string text)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        writer.WriteCharacterString(UniversalTagNumber.IA5String, text, Der.Implicit((int)kind));
        return new GeneralName(kind, writer.Encode());
    }

    private void Check()
    {
        AsnReader reader = new(Encoded, AsnEncodingRules.DER);
        switch (Kind)
        {
            case GeneralNameKind.OtherName: // [0] SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }
                AsnReader other = reader.ReadSequence(Der.Explicit(0));
                _ = other.ReadObjectIdentifier();
                AsnReader value = other.ReadExplicit(0);
                _ = value.ReadEncodedValue();
                value.End();
                other.End();
                break;
            case GeneralNameKind.Rfc822Name or GeneralNameKind.DnsName or GeneralNameKind.UniformResourceIdentifier:
                _ = reader.ReadCharacterString(UniversalTagNumber.IA5String, Der.Implicit((int)Kind));
                break;
            case GeneralNameKind.DirectoryName:
                AsnReader directory = reader.ReadExplicit(4);
                _ = ReadName(directory);
                directory.End();
                break;
            case GeneralNameKind.X400Address:
                _ = reader.ReadSequence(Der.Explicit(3)); // opaque: nobody reads one, and its inside proves nothing
                break;
            case GeneralNameKind.EdiPartyName: // [5] SEQUENCE { nameAssigner [0] DirectoryString OPTIONAL, partyName [1] DirectoryString }
                AsnReader party = reader.ReadSequence(Der.Explicit(5));
                if (party.HasExplicit(0))
                {
                    _ = party.ReadEncodedValue();
                }

                _ = party.ReadExplicit(1);
                party.End();
                break;
            case GeneralNameKind.IpAddress:
                if (reader.ReadOctetString(Der.Implicit(7)).Length is not (4 or 16))
                {
                    throw new AsnContentException("An IP address has 4 or 16 octets.");
                }

                break;
            default:
                _ = reader.ReadObjectIdentifier(Der.Implicit(8));
                break;
        }
    }
}
