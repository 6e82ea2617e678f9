using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OcspCluster.Gateway;

/// <summary>The API keys of a host: made, listed and revoked by whoever may write where they are kept, and known at once to hosts that run. Thread-safe.</summary>
/// <remarks>A key is <c>id.secret</c>; what is kept has the hash of the secret. What cannot be read lets nobody in: it may be what revokes.</remarks>
public sealed class ApiKeyStore(IApiKeyDocument document, TimeProvider clock)
{
    /// <summary>The file's name within the data directory.</summary>
    public const string FileName = "keys.json";

    private const int SecretBytes = 32;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    private Snapshot? _snapshot; // replaced as a whole

    /// <summary>The keys of a file.</summary>
    public ApiKeyStore(string file, TimeProvider clock)
        : this(new ApiKeyFile(file), clock)
    {
    }

    /// <summary>Where they are kept, for messages.</summary>
    public string Name => document.Name;

    /// <summary>All keys, oldest first; revoked and expired ones too.</summary>
    /// <exception cref="ApiKeyStoreException">They cannot be read.</exception>
    public IReadOnlyList<ApiKey> List() => [.. Parse(document.Read().Content).Values.OrderBy(key => key.CreatedAt)];

    /// <summary>Makes a key.</summary>
    /// <param name="name">What the operator calls it.</param>
    /// <param name="scopes">What it allows; at least one.</param>
    /// <param name="lifetime">How long it is taken; null for ever.</param>
    /// <returns>The key as its holder sends it, which is nowhere else, and as it is kept.</returns>
    /// <exception cref="ApiKeyStoreException">They cannot be read or written.</exception>
    public (string Bearer, ApiKey Key) Create(string name, IReadOnlyList<ApiScope> scopes, TimeSpan? lifetime = null)
    {
        (string bearer, ApiKey key) = Make(name, scopes, lifetime);
        Change(keys => keys.Add(key.Id, key));
        return (bearer, key);
    }

    /// <summary>Revokes a key: the next request with it is refused.</summary>
    /// <returns>False when there is no such key.</returns>
    /// <exception cref="ApiKeyStoreException">They cannot be read or written.</exception>
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

    /// <summary>Where there are no keys yet, makes one that may do everything, and writes it to a file that only its owner may read. For one caller at a time.</summary>
    /// <returns>True when a key was made.</returns>
    /// <exception cref="ApiKeyStoreException">A file cannot be written, or the keys cannot be read or written.</exception>
    public bool EnsureOperatorKey(string adminKeyFile)
    {
        if (document.Read().Content is not null)
        {
            return false;
        }

        // The secret first: a crash between the two leaves a key that is worth nothing, and the next start makes another.
        (string bearer, ApiKey key) = Make("first operator", [new ApiScope(ApiAction.Operator, null)], null);
        ApiKeyFile.Replace(adminKeyFile, Encoding.ASCII.GetBytes(bearer + "\n"));
        Change(keys => keys.Add(key.Id, key));
        return true;
    }

    /// <summary>Finds the key that a caller presents.</summary>
    /// <returns>Null when there is none such, the secret is another one, or it is revoked or expired.</returns>
    /// <exception cref="ApiKeyStoreException">The keys cannot be read.</exception>
    public async ValueTask<ApiKey?> AuthenticateAsync(string? bearer, CancellationToken cancellationToken = default)
    {
        Dictionary<string, ApiKey> known = await ReadAsync(cancellationToken).ConfigureAwait(false);
        int point = bearer?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        if (point < 0 || bearer!.Length > 256)
        {
            return null;
        }

        // The id is no secret. The comparison takes the same time wherever the hashes differ.
        known.TryGetValue(bearer[..point], out ApiKey? key);
        bool isSame = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hash(bearer[(point + 1)..])), Encoding.ASCII.GetBytes(key?.SecretHash ?? new string('0', 64)));
        return isSame && key is not null && key.IsValidAt(clock.GetUtcNow()) ? key : null;
    }

    /// <summary>Finds the key of somebody who presented it before.</summary>
    /// <returns>Null when there is none such any more, or it is revoked or expired.</returns>
    /// <exception cref="ApiKeyStoreException">The keys cannot be read.</exception>
    internal async ValueTask<ApiKey?> FindAsync(string id, CancellationToken cancellationToken) =>
        (await ReadAsync(cancellationToken).ConfigureAwait(false)).TryGetValue(id, out ApiKey? key) && key.IsValidAt(clock.GetUtcNow()) ? key : null;

    private async ValueTask<Dictionary<string, ApiKey>> ReadAsync(CancellationToken cancellationToken)
    {
        Snapshot? known = _snapshot;
        ApiKeyContent content = await document.ReadAsync(known?.Content, cancellationToken).ConfigureAwait(false);
        if (known is null || !ReferenceEquals(known.Content, content))
        {
            _snapshot = known = new Snapshot(content, Parse(content.Content));
        }

        return known.Keys;
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

    private void Change(Action<Dictionary<string, ApiKey>> change) => document.Change(content =>
    {
        Dictionary<string, ApiKey> keys = Parse(content);
        change(keys);
        return JsonSerializer.SerializeToUtf8Bytes(new KeyFile([.. keys.Values]), s_json);
    });

    private Dictionary<string, ApiKey> Parse(byte[]? json)
    {
        if (json is null)
        {
            return [];
        }

        try
        {
            KeyFile content = JsonSerializer.Deserialize<KeyFile>(json, s_json) ?? throw new JsonException("It is null.");
            foreach (ApiKey key in content.Keys)
            {
                if (key.SecretHash.Length != 64 || key.Scopes.Count == 0 || key.Scopes.Any(scope => !ApiScope.TryParse(scope, out _)))
                {
                    throw new JsonException($"The key '{key.Id}' has no hash, or a scope that is not {ApiScope.Rule}.");
                }
            }

            return content.Keys.ToDictionary(key => key.Id, StringComparer.Ordinal);
        }
        catch (JsonException e)
        {
            throw new ApiKeyStoreException($"{document.Name} cannot be used: {e.Message}", e);
        }
    }

    private sealed record Snapshot(ApiKeyContent Content, Dictionary<string, ApiKey> Keys);

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
