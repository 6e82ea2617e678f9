using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>Names an algorithm and its parameters (AlgorithmIdentifier, RFC 5280 §4.1.1.2). Immutable; compared by value, to the byte.</summary>
public sealed class AlgorithmIdentifier : IEquatable<AlgorithmIdentifier>
{
    private static readonly byte[] s_null = [0x05, 0x00];

    private byte[]? _encoded;

    /// <summary>Takes an OID in dotted form and the DER of its parameters; empty for none.</summary>
    public AlgorithmIdentifier(string oid, ReadOnlyMemory<byte> parameters = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(oid);
        Oid = oid;
        Parameters = parameters;
    }

    /// <summary>The algorithm, in dotted form.</summary>
    public string Oid { get; }

    /// <summary>The DER of the parameters; empty when there are none.</summary>
    public ReadOnlyMemory<byte> Parameters { get; }

    /// <summary>Whether the parameters are NULL.</summary>
    public bool HasNullParameters => Parameters.Span.SequenceEqual(s_null);

    /// <summary>An algorithm whose parameters are NULL.</summary>
    public static AlgorithmIdentifier WithNull(string oid) => new(oid, s_null);

    // AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY DEFINED BY algorithm OPTIONAL }
    internal static AlgorithmIdentifier Read(AsnReader reader)
    {
        AsnReader sequence = reader.ReadSequence();
        string oid = sequence.ReadObjectIdentifier();
        ReadOnlyMemory<byte> parameters = sequence.HasData ? sequence.ReadEncodedValue() : default;
        sequence.End();
        return new AlgorithmIdentifier(oid, parameters);
    }

    // The DER: that of a signer stands in each of its answers.
    internal ReadOnlyMemory<byte> Encoded => _encoded ??= Encode();

    private byte[] Encode()
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        Write(writer);
        return writer.Encode();
    }

    internal void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(Oid);
            if (!Parameters.IsEmpty)
            {
                writer.WriteEncodedValue(Parameters.Span);
            }
        }
    }

    /// <inheritdoc/>
    public bool Equals(AlgorithmIdentifier? other) => other is not null && Oid == other.Oid && Parameters.Span.SequenceEqual(other.Parameters.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AlgorithmIdentifier);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Oid, Parameters.Length);

    /// <summary>The OID.</summary>
    public override string ToString() => Oid;
}
