namespace OcspCluster.Authority;

/// <summary>Where a private key is that never leaves its HSM, and how OpenSSL gets at it. Immutable.</summary>
public sealed record Pkcs11Key
{
    /// <summary>The name of the engine of OpenSC's libp11.</summary>
    public const string DefaultEngine = "pkcs11";

    /// <summary>The key as a PKCS #11 URI (RFC 7512), such as <c>pkcs11:token=ocsp;object=responder;type=private</c>. The PIN is not part of it.</summary>
    public required string Uri { get; init; }

    /// <summary>The file that holds the PIN, and at most a line break behind it; null for a token that asks for none. OpenSSL reads it: the PIN is in no command line, no environment and no log.</summary>
    public string? PinFile { get; init; }

    /// <summary>The HSM's PKCS #11 library; null for the one that the environment names (<c>PKCS11_MODULE_PATH</c>, or p11-kit's configuration). One for the whole process.</summary>
    public string? Module { get; init; }

    /// <summary>The OpenSSL engine that speaks PKCS #11; null for <see cref="DefaultEngine"/>, unless there is a <see cref="Provider"/>.</summary>
    public string? Engine { get; init; }

    /// <summary>The OpenSSL 3 provider that speaks PKCS #11, such as <c>pkcs11</c>; null to use an engine.</summary>
    public string? Provider { get; init; }

    /// <summary>Everything that cannot work, each with the name of the value; empty when none.</summary>
    public IEnumerable<string> FindErrors()
    {
        if (Provider is null && !Uri.StartsWith("pkcs11:", StringComparison.Ordinal))
        {
            yield return "Uri does not begin with pkcs11: (RFC 7512)";
        }

        if (Uri.Contains("pin-value", StringComparison.OrdinalIgnoreCase))
        {
            yield return "Uri has a pin-value, and OpenSSL writes the URI of a key that it does not find to its log: put the PIN into a file and name it as PinFile";
        }

        if (PinFile is not null && Uri.Contains("pin-source", StringComparison.OrdinalIgnoreCase))
        {
            yield return "PinFile stands beside a pin-source in Uri: take one of them";
        }

        if (Engine is not null && Provider is not null)
        {
            yield return "Engine stands beside Provider: take one of them";
        }
    }
}
