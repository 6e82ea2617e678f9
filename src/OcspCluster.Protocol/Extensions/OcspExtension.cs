using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>One extension of a request, a response or one of their elements (Extension, RFC 5280 §4.1). Immutable.</summary>
public sealed class OcspExtension
{
    private readonly ReadOnlyMemory<byte> _encoded;

    /// <summary>Makes an extension.</summary>
    /// <param name="oid">What it is, in dotted form.</param>
    /// <param name="value">The content of extnValue: DER of the type that the OID defines.</param>
    /// <param name="critical">Whether one who does not understand it must refuse the message.</param>
    public OcspExtension(string oid, ReadOnlyMemory<byte> value, bool critical = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(oid);
        Oid = oid;
        Value = value;
        IsCritical = critical;

        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            if (critical)
            {
                writer.WriteBoolean(true);
            }

            writer.WriteOctetString(value.Span);
        }

        _encoded = writer.Encode();
    }

    private OcspExtension(string oid, ReadOnlyMemory<byte> value, bool critical, ReadOnlyMemory<byte> encoded)
    {
        Oid = oid;
        Value = value;
        IsCritical = critical;
        _encoded = encoded;
    }

    /// <summary>What it is, in dotted form.</summary>
    public string Oid { get; }

    /// <summary>Whether one who does not understand it must refuse the message.</summary>
    public bool IsCritical { get; }

    /// <summary>The content of extnValue.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    // Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
    internal static OcspExtension Read(AsnReader reader)
    {
        ReadOnlyMemory<byte> encoded = reader.PeekEncodedValue();
        AsnReader extension = reader.ReadSequence();
        string oid = extension.ReadObjectIdentifier();
        bool critical = extension.HasData && extension.PeekTag() == Asn1Tag.Boolean && extension.ReadBoolean(); // FALSE written out is tolerated, and kept
        ReadOnlyMemory<byte> value = extension.ReadOctetString();
        extension.End();
        return new OcspExtension(oid, value, critical, encoded);
    }

    internal ReadOnlyMemory<byte> Encoded => _encoded;

    internal void Write(AsnWriter writer) => writer.WriteEncodedValue(_encoded.Span);

    /// <summary>The OID, and whether it is critical.</summary>
    public override string ToString() => IsCritical ? Oid + " (critical)" : Oid;
}
