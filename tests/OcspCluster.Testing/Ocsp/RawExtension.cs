namespace OcspCluster.Testing;

/// <summary>An extension: its OID, the content of extnValue, and whether it is critical.</summary>
public sealed record RawExtension(string Oid, byte[] Value, bool Critical = false)
{
    /// <summary>Writes <c>critical FALSE</c>, which DER leaves out.</summary>
    public bool WritesFalse { get; init; }

    /// <summary>A nonce as RFC 9654 §2.1 has it: an OCTET STRING inside extnValue.</summary>
    public static RawExtension Nonce(byte[] value) => new(OcspOids.Nonce, Der.OctetString(value));

    /// <summary>The octets.</summary>
    public byte[] Encode() => Der.Sequence(
        Der.Oid(Oid),
        Critical || WritesFalse ? Der.Boolean(Critical) : [],
        Der.OctetString(Value));
}
