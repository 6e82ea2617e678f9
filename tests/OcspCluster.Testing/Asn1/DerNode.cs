namespace OcspCluster.Testing;

/// <summary>One TLV of a well-formed message, so that a test can spoil each of them in turn.</summary>
public sealed class DerNode
{
    private readonly byte[] _content;

    private DerNode(byte tag, byte[] content, int depth)
    {
        Tag = tag;
        Depth = depth;
        _content = content;
        if (IsConstructed)
        {
            int offset = 0;
            List<DerNode> children = [];
            while (offset < content.Length)
            {
                children.Add(Read(content, ref offset, depth + 1));
            }

            Children = children;
        }
    }

    /// <summary>The identifier octet.</summary>
    public byte Tag { get; }

    /// <summary>0 for the outermost TLV.</summary>
    public int Depth { get; }

    /// <summary>Whether it holds TLVs itself.</summary>
    public bool IsConstructed => (Tag & 0x20) != 0;

    /// <summary>The TLVs inside a constructed one.</summary>
    public IReadOnlyList<DerNode> Children { get; } = [];

    /// <summary>The content octets as they were read.</summary>
    public ReadOnlySpan<byte> Content => _content;

    /// <summary>Reads one message; every tag has one octet and every length is definite.</summary>
    public static DerNode Parse(ReadOnlySpan<byte> message)
    {
        int offset = 0;
        DerNode node = Read(message, ref offset, 0);
        return offset == message.Length ? node : throw new ArgumentException("Octets after the message.", nameof(message));
    }

    /// <summary>This node and all below it, parents first.</summary>
    public IEnumerable<DerNode> SelfAndDescendants() => Children.SelectMany(child => child.SelfAndDescendants()).Prepend(this);

    /// <summary>Writes the message again with one node replaced by any octets; lengths around it follow.</summary>
    public byte[] EncodeWith(DerNode replaced, byte[] replacement)
    {
        if (ReferenceEquals(this, replaced))
        {
            return replacement;
        }

        return IsConstructed ? Der.Tlv(Tag, [.. Children.Select(child => child.EncodeWith(replaced, replacement))]) : Der.Tlv(Tag, _content);
    }

    /// <summary>Writes the message as it was.</summary>
    public byte[] Encode() => Der.Tlv(Tag, _content);

    private static DerNode Read(ReadOnlySpan<byte> input, ref int offset, int depth)
    {
        byte tag = input[offset++];
        int length = input[offset++];
        if (length >= 0x80)
        {
            int octets = length & 0x7F;
            length = 0;
            for (int i = 0; i < octets; i++)
            {
                length = (length << 8) | input[offset++];
            }
        }

        byte[] content = input.Slice(offset, length).ToArray();
        offset += length;
        return new DerNode(tag, content, depth);
    }
}
