using OcspCluster.Gateway;

namespace OcspCluster.Hosting.Keys;

/// <summary>The key that the first start makes, so that somebody can begin.</summary>
internal static class OperatorKey
{
    /// <summary>The name, within the data directory, of the file that the first start writes the operator's key to.</summary>
    public const string FileName = "admin.key";

    /// <summary>Makes it where there are no keys yet.</summary>
    /// <returns>The file; null when there were keys already.</returns>
    /// <exception cref="HostStartException">A file cannot be written.</exception>
    public static string? Ensure(ApiKeyStore keys, string dataDirectory)
    {
        string file = Path.Combine(dataDirectory, FileName);
        try
        {
            return keys.EnsureOperatorKey(file) ? file : null;
        }
        catch (ApiKeyStoreException e)
        {
            throw new HostStartException(e.Message, e);
        }
    }
}
