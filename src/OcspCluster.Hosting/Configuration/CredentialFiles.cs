using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OcspCluster.Protocol;

namespace OcspCluster.Hosting.Configuration;

/// <summary>A file does not hold what it should; the message goes behind its name.</summary>
internal sealed class CredentialFileException(string message) : Exception(message);

/// <summary>Reads certificates and private keys from files.</summary>
internal static class CredentialFiles
{
    private const string PemMark = "-----BEGIN";

    // Never written to a key store: a restart must not leave keys behind. macOS has no such keys.
    private static readonly X509KeyStorageFlags s_storage = OperatingSystem.IsMacOS() ? X509KeyStorageFlags.DefaultKeySet : X509KeyStorageFlags.EphemeralKeySet;

    /// <summary>The certificates of a file, at least one: PEM with any number, or one in DER.</summary>
    public static IReadOnlyList<X509Certificate2> ReadCertificates(string path)
    {
        byte[] bytes = Read(path);
        if (!IsPem(bytes))
        {
            return [LoadCertificate(bytes)];
        }

        List<X509Certificate2> certificates = [];
        List<string> others = [];
        foreach ((string label, byte[] content) in ReadPem(Encoding.Latin1.GetString(bytes)))
        {
            if (label is "CERTIFICATE" or "X509 CERTIFICATE" or "TRUSTED CERTIFICATE")
            {
                certificates.Add(LoadCertificate(content));
            }
            else
            {
                others.Add(label);
            }
        }

        return certificates.Count > 0
            ? certificates
            : throw new CredentialFileException(others.Count == 0 ? "the file has no complete PEM block" : $"the file has no certificate, only {string.Join(", ", others)}");
    }

    /// <summary>The private key of a PEM file, encrypted or not.</summary>
    public static OcspSigner ReadKey(string path, string? password)
    {
        byte[] bytes = Read(path);
        string text = Encoding.Latin1.GetString(bytes);
        if (!IsPem(bytes))
        {
            throw new CredentialFileException("not PEM: write it so with 'openssl pkey', or give a PKCS #12 file as Pfx");
        }

        foreach ((string label, byte[] content) in ReadPem(text))
        {
            switch (label)
            {
                case "PRIVATE KEY":
                    return FromPkcs8(
                        (key, octets) => key.ImportPkcs8PrivateKey(octets, out _), content, $"the private key is damaged, or of an algorithm that does not sign here ({AlgorithmOf(content)}): RSA, ECDSA and DSA do");
                case "ENCRYPTED PRIVATE KEY":
                    return password is null
                        ? throw new CredentialFileException("the key is encrypted: set Password or PasswordFile beside it")
                        : FromPkcs8((key, octets) => key.ImportEncryptedPkcs8PrivateKey(password, octets, out _), content, "the key cannot be decrypted: the password is wrong, or it is no RSA, ECDSA or DSA key");
                case "RSA PRIVATE KEY":
                    RSA rsa = RSA.Create();
                    return Import(rsa, () => rsa.ImportRSAPrivateKey(content, out _), () => OcspSigner.FromRsa(rsa));
                case "EC PRIVATE KEY":
                    ECDsa ecdsa = ECDsa.Create();
                    return Import(ecdsa, () => ecdsa.ImportECPrivateKey(content, out _), () => OcspSigner.FromECDsa(ecdsa));
            }
        }

        throw new CredentialFileException(text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal)
            ? "encrypted in OpenSSL's old format, which is weak and not read: convert it with 'openssl pkcs8 -topk8'"
            : "the file has no private key");
    }

    /// <summary>The certificate and key of a PKCS #12 file.</summary>
    public static (X509Certificate2 Certificate, OcspSigner Signer) ReadPfx(string path, string? password)
    {
        byte[] bytes = Read(path);
        try
        {
            X509Certificate2Collection contents = X509CertificateLoader.LoadPkcs12Collection(bytes, password, s_storage);
            X509Certificate2[] withKey = [.. contents.Where(certificate => certificate.HasPrivateKey)];
            return withKey is [X509Certificate2 one]
                ? (one, OcspSigner.FromCertificate(one))
                : throw new CredentialFileException($"the file has {withKey.Length} certificates with a private key: one is needed");
        }
        catch (CryptographicException e)
        {
            throw new CredentialFileException(password is null ? $"cannot be opened without a password: set Password or PasswordFile ({e.Message})" : $"cannot be opened: the password is wrong, or it is not PKCS #12 ({e.Message})");
        }
        catch (ArgumentException e) // a key of a kind that nobody here signs with
        {
            throw new CredentialFileException(e.Message);
        }
    }

    /// <summary>The first line of a file.</summary>
    public static string ReadPassword(string path)
    {
        string text = Encoding.UTF8.GetString(Read(path));
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? text : text[..end];
    }

    /// <summary>Whether others than the owner may read a file; false where the system has no such permissions.</summary>
    public static bool IsOpenToOthers(string path) =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0;

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CredentialFileException($"there is no file '{path}'");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialFileException($"'{path}' cannot be read: {e.Message}");
        }
    }

    private static bool IsPem(ReadOnlySpan<byte> bytes) => bytes.IndexOf(Encoding.ASCII.GetBytes(PemMark)) >= 0;

    private static List<(string Label, byte[] Content)> ReadPem(string text)
    {
        List<(string, byte[])> blocks = [];
        ReadOnlySpan<char> rest = text;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            byte[] content = new byte[fields.DecodedDataLength];
            Convert.TryFromBase64Chars(rest[fields.Base64Data], content, out _);
            blocks.Add((rest[fields.Label].ToString(), content));
            rest = rest[fields.Location.End..];
        }

        return blocks;
    }

    private static X509Certificate2 LoadCertificate(byte[] der)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException)
        {
            throw new CredentialFileException("not a certificate in PEM or DER");
        }
    }

    // .NET imports into the class of the right algorithm only, and an encrypted key does not tell its algorithm: each is tried.
    private static OcspSigner FromPkcs8(Action<AsymmetricAlgorithm, byte[]> import, byte[] content, string problem)
    {
        (AsymmetricAlgorithm Key, Func<AsymmetricAlgorithm, OcspSigner> Sign)[] algorithms =
        [
            (RSA.Create(), key => OcspSigner.FromRsa((RSA)key)), (ECDsa.Create(), key => OcspSigner.FromECDsa((ECDsa)key)), (DSA.Create(), key => OcspSigner.FromDsa((DSA)key)),
        ];
        OcspSigner? signer = null;
        foreach ((AsymmetricAlgorithm key, Func<AsymmetricAlgorithm, OcspSigner> sign) in algorithms)
        {
            try
            {
                if (signer is null)
                {
                    import(key, content);
                    signer = sign(key);
                    continue;
                }
            }
            catch (CryptographicException)
            {
                // Not a key of this algorithm.
            }

            key.Dispose();
        }

        return signer ?? throw new CredentialFileException(problem);
    }

    // PrivateKeyInfo ::= SEQUENCE { version INTEGER, privateKeyAlgorithm SEQUENCE { algorithm OBJECT IDENTIFIER, ... }, ... } (RFC 5208 §5)
    private static string AlgorithmOf(byte[] privateKeyInfo)
    {
        try
        {
            AsnReader info = new AsnReader(privateKeyInfo, AsnEncodingRules.BER).ReadSequence();
            _ = info.ReadInteger();
            return info.ReadSequence().ReadObjectIdentifier();
        }
        catch (AsnContentException)
        {
            return "unreadable";
        }
    }

    private static OcspSigner Import(AsymmetricAlgorithm key, Action import, Func<OcspSigner> sign)
    {
        try
        {
            import();
            return sign();
        }
        catch (CryptographicException e)
        {
            key.Dispose();
            throw new CredentialFileException($"the private key is damaged or of a kind that is not supported: {e.Message}");
        }
    }
}
