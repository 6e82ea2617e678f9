using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OcspCluster.Gateway;

/// <summary>The API keys of a data directory: made, listed and revoked by whoever may write the file, and known at once to a host that runs. Thread-safe.</summary>
/// <remarks>
/// A key is <c>id.secret</c>; the file has the hash of the secret. It is replaced as a whole, and read again when it has changed. A file that cannot be read lets nobody in:
/// it may be the one that revokes.
/// </remarks>
public sealed class ApiKeyStore(string file, TimeProvider clock)
{
    /// <summary>The file's name within the data directory.</summary>
    public const string FileName = "keys.json";

    private const int SecretBytes = 32;
    private const int MaxLockAttempts = 2000;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    private readonly Lock _gate = new();
    private Snapshot? _snapshot; // replaced as a whole

    /// <summary>The file.</summary>
    public string File => file;

    /// <summary>All keys, oldest first; revoked and expired ones too.</summary>
    /// <exception cref="ApiKeyStoreException">The file cannot be read.</exception>
    public IReadOnlyList<ApiKey> List() => [.. Read().Keys.Values.OrderBy(key => key.CreatedAt)];

    /// <summary>Makes a key.</summary>
    /// <param name="name">What the operator calls it.</param>
    /// <param name="scopes">What it allows; at least one.</param>
    /// <param name="lifetime">How long it is taken; null for ever.</param>
    /// <returns>The key as its holder sends it, which is nowhere else, and as it is kept.</returns>
    /// <exception cref="ApiKeyStoreException">The file cannot be read or written.</exception>
    public (string Bearer, ApiKey Key) Create(string name, IReadOnlyList<ApiScope> scopes, TimeSpan? lifetime = null)
    {
        (string bearer, ApiKey key) = Make(name, scopes, lifetime);
        Change(keys => keys.Add(key.Id, key));
        return (bearer, key);
    }

    /// <summary>Revokes a key: the next request with it is refused.</summary>
    /// <returns>False when there is no such key.</returns>
    /// <exception cref="ApiKeyStoreException">The file cannot be read or written.</exception>
    public bool Revoke(string id)
    {
        bool isFound = false;
        Change(keys =>
        {
            isFound = keys.TryGetValue(id, out ApiKey? key);
            if (isFound)
            {
                keys[id] = key! with { RevokedAt = key.RevokedAt ?? clock.GetUtcNow() };
            }
        });
        return isFound;
    }

    /// <summary>Where there is no key file yet, makes one with a key that may do everything, and writes that key to a file that only its owner may read.</summary>
    /// <returns>True when a key was made.</returns>
    /// <exception cref="ApiKeyStoreException">A file cannot be written.</exception>
    public bool EnsureOperatorKey(string adminKeyFile)
    {
        if (System.IO.File.Exists(file))
        {
            return false;
        }

        // The secret first: a crash between the two leaves a key that is worth nothing, and the next start makes another.
        (string bearer, ApiKey key) = Make("first operator", [new ApiScope(ApiAction.Operator, null)], null);
        Guard(adminKeyFile, () => Replace(adminKeyFile, Encoding.ASCII.GetBytes(bearer + "\n")));
        Change(keys => keys.Add(key.Id, key));
        return true;
    }

    /// <summary>Finds the key that a caller presents.</summary>
    /// <returns>Null when there is none such, the secret is another one, or it is revoked or expired.</returns>
    /// <exception cref="ApiKeyStoreException">The file cannot be read.</exception>
    public ApiKey? Authenticate(string? bearer)
    {
        Dictionary<string, ApiKey> keys = Read().Keys;
        int point = bearer?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        if (point < 0 || bearer!.Length > 256)
        {
            return null;
        }

        // The id is no secret. The comparison takes the same time wherever the hashes differ.
        keys.TryGetValue(bearer[..point], out ApiKey? key);
        bool isSame = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hash(bearer[(point + 1)..])), Encoding.ASCII.GetBytes(key?.SecretHash ?? new string('0', 64)));
        return isSame && key is not null && key.IsValidAt(clock.GetUtcNow()) ? key : null;
    }

    private static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private (string Bearer, ApiKey Key) Make(string name, IReadOnlyList<ApiScope> scopes, TimeSpan? lifetime)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(scopes);
        ArgumentOutOfRangeException.ThrowIfZero(scopes.Count, nameof(scopes));
        string secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        DateTimeOffset now = clock.GetUtcNow();
        ApiKey key = new()
        {
            Id = RandomNumberGenerator.GetHexString(16, lowercase: true),
            Name = name,
            Scopes = [.. scopes.Select(scope => scope.ToString())],
            CreatedAt = now,
            ExpiresAt = now + lifetime,
            SecretHash = Hash(secret),
        };
        return ($"{key.Id}.{secret}", key);
    }

    private Snapshot Read() => Guard(file, () =>
    {
        // One look at the file's entry per request, a few microseconds: a revoked key is refused from the next request on, without a watcher that may miss it.
        FileInfo info = new(file);
        (DateTime, long) stamp = info.Exists ? (info.LastWriteTimeUtc, info.Length) : default;
        if (_snapshot is { } known && known.Stamp == stamp)
        {
            return known;
        }

        lock (_gate)
        {
            return _snapshot = new Snapshot(stamp, info.Exists ? Parse(System.IO.File.ReadAllBytes(file)) : []);
        }
    });

    private static Dictionary<string, ApiKey> Parse(byte[] json)
    {
        KeyFile content = JsonSerializer.Deserialize<KeyFile>(json, s_json) ?? throw new JsonException("The file is null.");
        foreach (ApiKey key in content.Keys)
        {
            if (key.SecretHash.Length != 64 || key.Scopes.Count == 0 || key.Scopes.Any(scope => !ApiScope.TryParse(scope, out _)))
            {
                throw new JsonException($"The key '{key.Id}' has no hash, or a scope that is not {ApiScope.Rule}.");
            }
        }

        return content.Keys.ToDictionary(key => key.Id, StringComparer.Ordinal);
    }

    private void Change(Action<Dictionary<string, ApiKey>> change) => Guard(file, () =>
    {
        lock (_gate)
        {
            using FileStream held = HoldLock();
            Dictionary<string, ApiKey> keys = System.IO.File.Exists(file) ? Parse(System.IO.File.ReadAllBytes(file)) : [];
            change(keys);
            Replace(file, JsonSerializer.SerializeToUtf8Bytes(new KeyFile([.. keys.Values]), s_json));
            _snapshot = null;
            return true;
        }
    });

    // The program that makes keys and the host that runs are two processes; none may lose the other's change.
    private FileStream HoldLock()
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(file + ".lock", ForOwner(FileMode.OpenOrCreate));
            }
            catch (IOException) when (attempt < MaxLockAttempts)
            {
                Thread.Sleep(5); // a lock between processes has nothing to wait on; an operator's command does this, no request
            }
        }
    }

    private static bool Replace(string path, byte[] content)
    {
        string temporary = path + ".new";
        System.IO.File.Delete(temporary);
        using (FileStream stream = new(temporary, ForOwner(FileMode.CreateNew)))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        System.IO.File.Move(temporary, path, overwrite: true);
        DirectoryFlush.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!); // a revoked key must not be back after a loss of power
        return true;
    }

    private static FileStreamOptions ForOwner(FileMode mode)
    {
        FileStreamOptions options = new() { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }

    private static T Guard<T>(string path, Func<T> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new ApiKeyStoreException($"The file '{path}' cannot be used: {e.Message}", e);
        }
    }

    private sealed record Snapshot((DateTime, long) Stamp, Dictionary<string, ApiKey> Keys);

    private sealed record KeyFile(IReadOnlyList<ApiKey> Keys);
}

/// <summary>The API keys cannot be read or written. The message says which file, and why.</summary>
public sealed class ApiKeyStoreException : Exception
{
    /// <summary>With what failed.</summary>
    public ApiKeyStoreException(string message)
        : base(message)
    {
    }

    /// <summary>With what failed, and its cause.</summary>
    public ApiKeyStoreException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a message.</summary>
    public ApiKeyStoreException()
    {
    }
}
