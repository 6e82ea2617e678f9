using System.Security.Cryptography;

namespace OcspCluster.Gateway;

/// <summary>Tells when files have other contents than those that were taken. For one caller at a time.</summary>
/// <remarks>
/// Compared by content, which works wherever files are, and with links that are switched. A change counts when it has stood from one look to the next, so that a certificate
/// and its key need not be replaced in one instant; one that was refused is not told of again until the files change.
/// </remarks>
/// <param name="files">Their paths. A file that cannot be read is one more content: whether that is an error, who reads it tells.</param>
internal sealed class WatchedFiles(IReadOnlyList<string> files)
{
    private string _inForce = Digest(files);
    private string? _seen;
    private string? _refused;

    /// <summary>What there is to do after a look at the files.</summary>
    public enum Change
    {
        /// <summary>They are as they were taken.</summary>
        None,

        /// <summary>They are others; wait, or they were refused.</summary>
        Pending,

        /// <summary>They are others and have stood: read them, and <see cref="Take"/> or <see cref="Refuse"/> them.</summary>
        Settled,
    }

    /// <summary>Looks at the files.</summary>
    public Change Look()
    {
        string found = Digest(files);
        bool hasStood = found == _seen;
        _seen = found;
        if (found == _inForce)
        {
            _refused = null;
            return Change.None;
        }

        return hasStood && found != _refused ? Change.Settled : Change.Pending;
    }

    /// <summary>What was seen last is in force.</summary>
    public void Take()
    {
        _inForce = _seen!;
        _refused = null;
    }

    /// <summary>What was seen last cannot be used.</summary>
    public void Refuse() => _refused = _seen;

    private static string Digest(IReadOnlyList<string> files)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in files)
        {
            byte[] content;
            try
            {
                content = File.ReadAllBytes(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                content = [];
            }

            hash.AppendData(SHA256.HashData(content));
            CryptographicOperations.ZeroMemory(content);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
