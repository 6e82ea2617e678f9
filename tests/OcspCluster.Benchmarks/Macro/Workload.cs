using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>A CA, its certificates' serial numbers, and the requests about them, in files that all contestants and loads share.</summary>
internal sealed class Workload
{
    private readonly TestPki _pki = TestPki.CreateRoot("Benchmark CA", TestKey.P256());
    private readonly TestCertificate _responder;
    private readonly byte[][] _serials;

    public Workload(string directory, int certificates)
    {
        Directory = directory;
        _responder = _pki.IssueResponder("Benchmark responder", TestKey.P256());
        _serials = [.. Enumerable.Range(0, certificates).Select(Serial)];
        CaFile = TestCertificate.WritePem(_pki.Certificate, directory, "ca");
        ResponderFile = _responder.WriteCertificate(directory, "responder");
        ResponderKeyFile = _responder.WriteKey(directory, "responder");
        IndexFile = Path.Combine(directory, "index.txt");
        File.WriteAllLines(IndexFile, _serials.Select(serial => $"V\t491231235959Z\t\t{Convert.ToHexString(serial)}\tunknown\t/CN=localhost"));
        Post = WriteRows("post.rows", Enumerable.Range(0, certificates).Select(Request));
        Get = WriteRows("get.rows", Enumerable.Range(0, certificates).Select(i => Encoding.ASCII.GetBytes(Target(i))));
    }

    public string Directory { get; }

    public int Count => _serials.Length;

    public string CaFile { get; }

    public string ResponderFile { get; }

    public string ResponderKeyFile { get; }

    /// <summary>The index.txt of <c>openssl ca</c>: all are good.</summary>
    public string IndexFile { get; }

    public (string File, int Width) Get { get; }

    public (string File, int Width) Post { get; }

    /// <summary>The DER of the request for one certificate, as OpenSSL and most clients write it: SHA-1, no nonce.</summary>
    public byte[] Request(int i) => RawOcspRequest.For(RawCertId.For(_pki.Certificate, _serials[i])).Encode();

    /// <summary>Its GET target, escaped as RFC 6960 §A.1 asks.</summary>
    public string Target(int i) => "/" + GetTarget.Escaped(Request(i));

    /// <summary>Whether these bytes are a successful answer about a certificate.</summary>
    public bool IsAnswer(byte[] body, int i) =>
        body is [0x30, 0x82, _, _, 0x0A, 0x01, 0x00, ..] && body.AsSpan().IndexOf(RawCertId.For(_pki.Certificate, _serials[i]).Encode()) > 0;

    // 16 octets, spread, the same in every run. A target must be a path of files, too (nginx): no "//", no slash at either end.
    private byte[] Serial(int i)
    {
        for (int salt = 0; ; salt++)
        {
            byte[] serial = [0x01, .. SHA256.HashData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{i}:{salt}"))).AsSpan(0, 15)];
            string path = Convert.ToBase64String(RawOcspRequest.For(RawCertId.For(_pki.Certificate, serial)).Encode());
            if (!path.Contains("//", StringComparison.Ordinal) && !path.EndsWith('/'))
            {
                return serial;
            }
        }
    }

    /// <summary>POST bodies about known certificates, each with a nonce of its own: none can be answered from a cache.</summary>
    public (string File, int Width, int Count) WriteNonces(int count)
    {
        (string file, int width) = WriteRows("nonce.rows", Enumerable.Range(0, count).Select(i =>
            RawOcspRequest.For(RawCertId.For(_pki.Certificate, _serials[i % Count])).WithNonce(RandomNumberGenerator.GetBytes(16)).Encode()));
        return (file, width, count);
    }

    /// <summary>POST bodies about serial numbers that were never issued.</summary>
    public (string File, int Width, int Count) WriteUnissued(int count)
    {
        (string file, int width) = WriteRows("unissued.rows", Enumerable.Range(0, count).Select(_ =>
            RawOcspRequest.For(RawCertId.For(_pki.Certificate, [0x02, .. RandomNumberGenerator.GetBytes(15)])).Encode()));
        return (file, width, count);
    }

    private (string File, int Width) WriteRows(string name, IEnumerable<byte[]> rows)
    {
        byte[][] all = [.. rows];
        int width = all.Max(row => row.Length) + (all.All(row => row.Length == all[0].Length) ? 0 : 1);
        string path = Path.Combine(Directory, name);
        using FileStream file = File.Create(path);
        foreach (byte[] row in all)
        {
            byte[] padded = new byte[width];
            Array.Fill(padded, (byte)' ');
            row.CopyTo(padded, 0);
            file.Write(padded);
        }

        return (path, width);
    }
}
