using System.Buffers.Binary;

namespace OcspCluster.Client;

/// <summary>
/// Reads along one direction of a TLS handshake while it is in the clear: records, the handshake messages in them, and of these what stapling is about
/// (RFC 5246 §6.2.1, §7.4; RFC 6066 §8). Bounded: whatever does not look like a handshake, or is longer than one should be, ends the reading.
/// </summary>
internal sealed class HandshakeReader
{
    private const byte HandshakeRecord = 22;
    private const byte ClientHello = 1;
    private const byte Certificate = 11;
    private const byte CertificateStatus = 22;
    private const ushort StatusRequest = 5;
    private const int MaxBytes = 256 * 1024; // a long chain and a large staple

    private readonly List<byte> _records = []; // octets that no whole record was seen of
    private readonly List<byte> _messages = []; // the content of handshake records that no whole message was seen of
    private int _total;

    /// <summary>Whether there is nothing more to see: encryption began, or this is no handshake.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Whether a ClientHello asked for a stapled response.</summary>
    public bool HasStatusRequest { get; private set; }

    /// <summary>Whether certificates went by in the clear. None do when a session is resumed.</summary>
    public bool HasCertificate { get; private set; }

    /// <summary>The stapled response; empty when none was seen.</summary>
    public ReadOnlyMemory<byte> StapledResponse { get; private set; }

    public void Read(ReadOnlySpan<byte> octets)
    {
        if (IsOver)
        {
            return;
        }

        _total += octets.Length;
        if (_total > MaxBytes)
        {
            End();
            return;
        }

        _records.AddRange(octets);
        ReadRecords();
    }

    // struct { ContentType type; ProtocolVersion version; uint16 length; opaque fragment[length]; } TLSPlaintext
    private void ReadRecords()
    {
        const int HeaderBytes = 5;
        while (!IsOver && _records.Count >= HeaderBytes)
        {
            int length = (_records[3] << 8) | _records[4];
            if (_records[0] != HandshakeRecord || _records[1] != 3)
            {
                End(); // ChangeCipherSpec, an alert, TLS 1.3's disguise: the clear part is over
                return;
            }

            if (_records.Count < HeaderBytes + length)
            {
                return;
            }

            _messages.AddRange(_records.GetRange(HeaderBytes, length));
            _records.RemoveRange(0, HeaderBytes + length);
            ReadMessages();
        }
    }

    // struct { HandshakeType msg_type; uint24 length; ... } Handshake
    private void ReadMessages()
    {
        while (!IsOver && _messages.Count >= 4)
        {
            int length = (_messages[1] << 16) | (_messages[2] << 8) | _messages[3];
            if (_messages.Count < 4 + length)
            {
                return;
            }

            byte type = _messages[0];
            byte[] body = [.. _messages.GetRange(4, length)];
            _messages.RemoveRange(0, 4 + length);
            switch (type)
            {
                case ClientHello:
                    HasStatusRequest |= HasExtension(ExtensionsOf(body), StatusRequest);
                    break;
                case Certificate:
                    HasCertificate = true;
                    break;
                case CertificateStatus:
                    ReadStatus(body);
                    break;
            }
        }
    }

    // struct { CertificateStatusType status_type = ocsp(1); opaque OCSPResponse<1..2^24-1>; } CertificateStatus
    private void ReadStatus(byte[] body)
    {
        if (body is [1, var high, var middle, var low, .. var response] && response.Length == ((high << 16) | (middle << 8) | low))
        {
            StapledResponse = response;
        }
    }

    // ClientHello: version 2, random 32, session_id<0..32>, cipher_suites<2..2^16-2>, compression_methods<1..2^8-1>, extensions
    private static ReadOnlySpan<byte> ExtensionsOf(ReadOnlySpan<byte> hello)
    {
        int position = 34;
        bool isWhole = Skip(hello, ref position, lengthBytes: 1) && Skip(hello, ref position, lengthBytes: 2) && Skip(hello, ref position, lengthBytes: 1);
        return isWhole && position + 2 <= hello.Length ? hello[(position + 2)..] : [];
    }

    private static bool Skip(ReadOnlySpan<byte> hello, ref int position, int lengthBytes)
    {
        if (position + lengthBytes > hello.Length)
        {
            return false;
        }

        position += lengthBytes + (lengthBytes == 1 ? hello[position] : BinaryPrimitives.ReadUInt16BigEndian(hello[position..]));
        return position <= hello.Length;
    }

    // struct { ExtensionType extension_type; opaque extension_data<0..2^16-1>; } Extension
    private static bool HasExtension(ReadOnlySpan<byte> extensions, ushort wanted)
    {
        while (extensions.Length >= 4)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(extensions) == wanted)
            {
                return true;
            }

            int length = 4 + BinaryPrimitives.ReadUInt16BigEndian(extensions[2..]);
            extensions = length <= extensions.Length ? extensions[length..] : [];
        }

        return false;
    }

    private void End()
    {
        IsOver = true;
        _records.Clear();
        _messages.Clear();
    }
}
