using System.Collections;
using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>The extensions of one message or element, in order, each at most once (Extensions, RFC 5280 §4.1). Immutable.</summary>
public sealed class OcspExtensionCollection : IReadOnlyList<OcspExtension>
{
    private readonly OcspExtension[] _extensions;

    /// <summary>Takes extensions in their order.</summary>
    /// <exception cref="ArgumentException">One occurs twice.</exception>
    public OcspExtensionCollection(IEnumerable<OcspExtension> extensions)
    {
        _extensions = [.. extensions];
        if (FindDuplicate() is string oid)
        {
            throw new ArgumentException($"Extension {oid} occurs twice.", nameof(extensions));
        }
    }

    private OcspExtensionCollection(OcspExtension[] extensions, bool _) => _extensions = extensions;

    /// <summary>No extensions; nothing is written.</summary>
    public static OcspExtensionCollection Empty { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _extensions.Length;

    /// <inheritdoc/>
    public OcspExtension this[int index] => _extensions[index];

    /// <summary>The extension of this OID, or null.</summary>
    public OcspExtension? Find(string oid)
    {
        foreach (OcspExtension extension in _extensions)
        {
            if (extension.Oid == oid)
            {
                return extension;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public IEnumerator<OcspExtension> GetEnumerator() => ((IEnumerable<OcspExtension>)_extensions).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension, in an EXPLICIT field that may be absent
    internal static OcspExtensionCollection ReadOptional(AsnReader reader, int fieldNumber, DecodeOptions options)
    {
        if (!reader.HasExplicit(fieldNumber))
        {
            return Empty;
        }

        AsnReader field = reader.ReadExplicit(fieldNumber);
        OcspExtensionCollection extensions = ReadList(field, options);
        field.End();
        return extensions;
    }

    // Extensions by themselves, as the entries of a CRL have them
    internal static OcspExtensionCollection ReadList(AsnReader reader, DecodeOptions options)
    {
        AsnReader list = reader.ReadSequence();
        List<OcspExtension> extensions = [];
        while (list.HasData)
        {
            if (extensions.Count == MaxCount)
            {
                throw new OcspFormatException(DecodeError.MalformedDer, $"More than {MaxCount} extensions in one list.");
            }

            extensions.Add(OcspExtension.Read(list));
        }

        if (extensions.Count == 0)
        {
            return options.AcceptEmptyExtensions ? Empty : throw new OcspFormatException(DecodeError.EmptyExtensions, "Extensions has at least one element (RFC 5280 §4.1).");
        }

        OcspExtensionCollection collection = new([.. extensions], true);
        return collection.FindDuplicate() is string oid
            ? throw new OcspFormatException(DecodeError.DuplicateExtension, $"Extension {oid} occurs twice.")
            : collection;
    }

    internal void WriteOptional(AsnWriter writer, int fieldNumber)
    {
        if (_extensions.Length == 0)
        {
            return;
        }

        using (writer.PushSequence(Der.Explicit(fieldNumber)))
        using (writer.PushSequence())
        {
            foreach (OcspExtension extension in _extensions)
            {
                extension.Write(writer);
            }
        }
    }

    internal int MaxEncodedBytes
    {
        get
        {
            int most = 2 * DerBackWriter.MaxHeaderBytes;
            foreach (OcspExtension extension in _extensions)
            {
                most += extension.Encoded.Length;
            }

            return most;
        }
    }

    internal void WriteOptional(ref DerBackWriter writer, int fieldNumber)
    {
        if (_extensions.Length == 0)
        {
            return;
        }

        int end = writer.Mark;
        for (int i = _extensions.Length - 1; i >= 0; i--)
        {
            writer.Write(_extensions[i].Encoded.Span);
        }

        writer.WriteHeader(DerBackWriter.Sequence, end);
        writer.WriteHeader(DerBackWriter.Constructed(fieldNumber), end);
    }

    // RFCs 6960, 5280 and 9654 define fifteen in all; the limit keeps the search for duplicates from growing with its square.
    private const int MaxCount = 64;

    private string? FindDuplicate()
    {
        for (int i = 1; i < _extensions.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (_extensions[i].Oid == _extensions[j].Oid)
                {
                    return _extensions[i].Oid;
                }
            }
        }

        return null;
    }
}
