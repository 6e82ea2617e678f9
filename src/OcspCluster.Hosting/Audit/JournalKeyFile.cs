using System.Security.Cryptography;
using OcspCluster.Authority;

namespace OcspCluster.Hosting.Audit;

/// <summary>The key that signs the journal's checkpoints: its own, so that nobody who can sign responses can sign for the journal, or the other way round.</summary>
public static class JournalKeyFile
{
    /// <summary>The private key's file name within the data directory: PKCS #8, PEM, readable by its owner only.</summary>
    public const string PrivateFileName = "journal.key";

    /// <summary>The public key's file name within the data directory: SubjectPublicKeyInfo, PEM. What auditors get.</summary>
    public const string PublicFileName = "journal.pub";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = ~(OwnerOnly | UnixFileMode.UserExecute);

    /// <summary>Reads the key of a data directory; makes it where there is none, and writes the public key where that is missing.</summary>
    /// <exception cref="RevocationStoreException">A file cannot be read or written, holds no P-256 key, or others may read the private key.</exception>
    public static ECDsa LoadOrCreate(string directory)
    {
        string file = Path.Combine(directory, PrivateFileName);
        ECDsa key = File.Exists(file) ? Load(file) : Create(file);
        try
        {
            WholeFile.Write(Path.Combine(directory, PublicFileName), key.ExportSubjectPublicKeyInfoPem() + "\n", mode: null, overwrite: true);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Reads a public key for verifying.</summary>
    /// <exception cref="RevocationStoreException">The file cannot be read or holds no P-256 public key.</exception>
    public static ECDsa LoadPublic(string file) => Read(file);

    private static ECDsa Load(string file)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) != 0)
        {
            throw new RevocationStoreException($"Others than its owner may read '{file}', and could sign for the journal. Run 'chmod 600' on it, and if they may have read it, move it away: a new one is made.");
        }

        return Read(file);
    }

    private static ECDsa Create(string file)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            WholeFile.Write(file, key.ExportPkcs8PrivateKeyPem() + "\n", OwnerOnly, overwrite: false);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static ECDsa Read(string file)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(file));
            _ = new CheckpointVerifier(key); // it is on the right curve
            return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new RevocationStoreException($"'{file}' cannot be used as the journal's key: {e.Message}", e);
        }
    }
}
