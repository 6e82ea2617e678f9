using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Gateway;

/// <summary>What certain client certificates may do. Immutable.</summary>
public sealed record ClientCertificateGrant
{
    /// <summary>What the operator calls it.</summary>
    public required string Name { get; init; }

    /// <summary>The subject that a certificate must have, such as <c>CN=feeder, O=Example</c>; compared as a name, not as text. Null for any.</summary>
    public string? Subject { get; init; }

    /// <summary>The SHA-256 of the certificate, 64 hexadecimal digits. Null for any.</summary>
    public string? Sha256 { get; init; }

    /// <summary>What is allowed, as <see cref="ApiScope.TryParse"/> reads it; at least one.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>What is wrong with it, in words; empty when nothing is.</summary>
    public IEnumerable<string> FindErrors()
    {
        if (Subject is null && Sha256 is null)
        {
            yield return "names nobody: give Subject, or Sha256";
        }

        if (Subject is not null && TryReadName(Subject) is null)
        {
            yield return $"has the Subject '{Subject}': a distinguished name as CN=feeder, O=Example";
        }

        if (Sha256 is not null && (Sha256.Length != 64 || !Sha256.All(char.IsAsciiHexDigit)))
        {
            yield return $"has the Sha256 '{Sha256}': 64 hexadecimal digits";
        }

        if (Scopes.Count == 0)
        {
            yield return "allows nothing: give Scopes";
        }

        foreach (string scope in Scopes.Where(scope => !ApiScope.TryParse(scope, out _)))
        {
            yield return $"has the scope '{scope}': {ApiScope.Rule}";
        }
    }

    /// <summary>Whether it speaks of a certificate.</summary>
    internal bool IsOf(X509Certificate2 certificate) =>
        (Subject is null || (TryReadName(Subject) is { } name && IsSame(name, certificate.SubjectName)))
        && (Sha256 is null || string.Equals(certificate.GetCertHashString(HashAlgorithmName.SHA256), Sha256, StringComparison.OrdinalIgnoreCase));

    private static X500DistinguishedName? TryReadName(string text)
    {
        try
        {
            return new X500DistinguishedName(text);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    // By their text: a CA chooses between PrintableString and UTF8String as it likes.
    private static bool IsSame(X500DistinguishedName one, X500DistinguishedName other) => one.Decode(X500DistinguishedNameFlags.None) == other.Decode(X500DistinguishedNameFlags.None);
}
