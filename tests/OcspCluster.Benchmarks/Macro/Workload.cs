using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>Requests in a file, in rows of equal width: bodies, or targets filled up with blanks.</summary>
internal sealed record RequestRows(string File, int Width, int Count);

/// <summary>A CA, its certificates' serial numbers, and the requests about them, in files that all contestants and loads share.</summary>
internal sealed class Workload
{
    public const int SerialBytes = 16;
    private const int BlockRows = 16_384;

    private readonly TestPki _pki;
    private readonly TestCertificate _responder;
    private readonly byte[] _serials;

    // All serial numbers are of one length, so one request, and one CertID, is all of them but for those octets.
    private readonly byte[] _request;
    private readonly int _serialInRequest;
    private readonly byte[] _certId;

    public Workload(string directory, int certificates)
    {
        Directory = directory;
        Count = certificates;
        byte[] any = [0x01, .. Enumerable.Repeat((byte)0x5A, SerialBytes - 1)];
        do
        {
            _pki = TestPki.CreateRoot("Benchmark CA", TestKey.P256());
            _request = RawOcspRequest.For(RawCertId.For(_pki.Certificate, any)).Encode();
            _serialInRequest = _request.AsSpan().IndexOf(any);
        }
        while (!IsPath(_request)); // what does not depend on the serial number must do, too
        _certId = RawCertId.For(_pki.Certificate, any).Encode();
        _responder = _pki.IssueResponder("Benchmark responder", TestKey.P256());
        _serials = new byte[SerialBytes * certificates];
        Parallel.For(0, certificates, i => MakeSerial((ulong)i, Serial(i)));
        CaFile = TestCertificate.WritePem(_pki.Certificate, directory, "ca");
        ResponderFile = _responder.WriteCertificate(directory, "responder");
        ResponderKeyFile = _responder.WriteKey(directory, "responder");
        IndexFile = Path.Combine(directory, "index.txt");
        File.WriteAllLines(IndexFile, Enumerable.Range(0, certificates).Select(i => $"V\t491231235959Z\t\t{Convert.ToHexString(Serial(i))}\tunknown\t/CN=localhost"));
        Post = WriteRows("post.rows", certificates, _request.Length, (i, row) => CopyRequest(i, row));
        Get = WriteRows("get.rows", certificates, Enumerable.Range(0, certificates).AsParallel().Max(i => Target(i).Length) + 1, (i, row) => Encoding.ASCII.GetBytes(Target(i), row));
    }

    public string Directory { get; }

    public int Count { get; }

    public string CaFile { get; }

    public string ResponderFile { get; }

    public string ResponderKeyFile { get; }

    /// <summary>The index.txt of <c>openssl ca</c>: all are good.</summary>
    public string IndexFile { get; }

    public RequestRows Get { get; }

    public RequestRows Post { get; }

    /// <summary>How long a request is.</summary>
    public int RequestBytes => _request.Length;

    /// <summary>The DER of the request for one certificate, as OpenSSL and most clients write it: SHA-1, no nonce.</summary>
    public byte[] Request(int i)
    {
        byte[] request = new byte[_request.Length];
        CopyRequest(i, request);
        return request;
    }

    /// <summary>The same, into a buffer.</summary>
    public void CopyRequest(int i, Span<byte> request)
    {
        _request.CopyTo(request);
        Serial(i).CopyTo(request[_serialInRequest..]);
    }

    /// <summary>The content octets of a certificate's serial number.</summary>
    public Span<byte> Serial(int i) => _serials.AsSpan(i * SerialBytes, SerialBytes);

    /// <summary>Its GET target, escaped as RFC 6960 §A.1 asks.</summary>
    public string Target(int i) =>
        "/" + Convert.ToBase64String(Request(i)).Replace("+", "%2B", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal).Replace("=", "%3D", StringComparison.Ordinal);

    /// <summary>The path of the file that a server of files must have for it.</summary>
    public string FilePath(int i) => Convert.ToBase64String(Request(i));

    /// <summary>Whether these bytes are a successful answer about a certificate.</summary>
    public bool IsAnswer(ReadOnlySpan<byte> body, int i)
    {
        Span<byte> certId = stackalloc byte[_certId.Length];
        _certId.CopyTo(certId);
        Serial(i).CopyTo(certId[^SerialBytes..]); // serialNumber is the last of a CertID
        return body is [0x30, 0x82, _, _, 0x0A, 0x01, 0x00, ..] && body.IndexOf(certId) > 0;
    }

    /// <summary>POST bodies about known certificates, each with a nonce of its own: none can be answered from a cache.</summary>
    public RequestRows WriteNonces(int count)
    {
        byte[] first = Ask(0);
        return WriteRows("nonce.rows", count, first.Length, (i, row) => Ask(i % Count).CopyTo(row));

        byte[] Ask(int i) => RawOcspRequest.For(RawCertId.For(_pki.Certificate, Serial(i).ToArray())).WithNonce(RandomNumberGenerator.GetBytes(16)).Encode();
    }

    /// <summary>POST bodies about serial numbers that were never issued.</summary>
    public RequestRows WriteUnissued(int count) => WriteAbout("unissued.rows", count, (_, serial) =>
    {
        RandomNumberGenerator.Fill(serial);
        serial[0] = 0x02;
    });

    /// <summary>POST bodies about any serial numbers.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="count">How many.</param>
    /// <param name="serialOf">Writes the 16 octets of one.</param>
    public RequestRows WriteAbout(string name, int count, Action<int, Span<byte>> serialOf) => WriteRows(name, count, _request.Length, (i, row) =>
    {
        _request.CopyTo(row);
        serialOf(i, row.AsSpan(_serialInRequest, SerialBytes));
    });

    // Spread, the same in every run. A target must be a path of files, too (nginx).
    private void MakeSerial(ulong number, Span<byte> serial)
    {
        byte[] request = [.. _request];
        for (ulong salt = 0; ; salt++)
        {
            ulong high = Mix(number + (salt << 40));
            _ = BitConverter.TryWriteBytes(serial, high) && BitConverter.TryWriteBytes(serial[8..], Mix(high));
            serial[0] = 0x01;
            serial.CopyTo(request.AsSpan(_serialInRequest));
            if (IsPath(request))
            {
                return;
            }
        }
    }

    // The finalizer of splitmix64.
    private static ulong Mix(ulong x)
    {
        x += 0x9E37_79B9_7F4A_7C15;
        x = (x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9;
        x = (x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB;
        return BitOperations.RotateLeft(x ^ (x >> 31), 11);
    }

    // No "//", no slash at either end.
    private static bool IsPath(ReadOnlySpan<byte> request)
    {
        Span<byte> path = stackalloc byte[Base64.GetMaxEncodedToUtf8Length(request.Length)];
        _ = Base64.EncodeToUtf8(request, path, out _, out int length);
        return path[..length].IndexOf("//"u8) < 0 && path[0] != '/' && path[length - 1] != '/';
    }

    private RequestRows WriteRows(string name, int count, int width, Action<int, byte[]> write)
    {
        string path = Path.Combine(Directory, name);
        using FileStream file = File.Create(path);
        byte[] block = new byte[BlockRows * width];
        for (int start = 0; start < count; start += BlockRows)
        {
            int rows = Math.Min(BlockRows, count - start);
            Parallel.For(0, rows, i =>
            {
                byte[] row = new byte[width];
                Array.Fill(row, (byte)' ');
                write(start + i, row);
                row.CopyTo(block.AsSpan(i * width));
            });
            file.Write(block, 0, rows * width);
        }

        return new RequestRows(path, width, count);
    }
}
