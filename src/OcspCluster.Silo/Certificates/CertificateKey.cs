using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Certificates;

/// <summary>The identity of a certificate's actor: <c>{issuer}/{content octets of the serial number in lower-case hexadecimal}</c>.</summary>
internal readonly record struct CertificateKey(IssuerId Issuer, SerialNumber Serial)
{
    /// <summary>Reads a key.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static CertificateKey Parse(string key)
    {
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            ? new CertificateKey(new IssuerId(key[..slash]), SerialNumber.FromContent(Convert.FromHexString(key.AsSpan(slash + 1))))
            : throw new FormatException($"'{key}' is not the key of a certificate.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Issuer}/{Convert.ToHexStringLower(Serial.Content)}";
}

/// <summary>What silos call each other's credentials: the SHA-256 of the certificate in hexadecimal.</summary>
internal static class CredentialNames
{
    private static readonly ConditionalWeakTable<SigningCredential, string> s_names = [];

    /// <summary>A credential's name.</summary>
    public static string Of(SigningCredential credential) =>
        s_names.GetValue(credential, static one => Convert.ToHexStringLower(SHA256.HashData(one.Certificate.RawDataMemory.Span)));

    /// <summary>The issuer's credential of a name; null when it has none such here, as while a renewed one is read by one silo after the other.</summary>
    public static SigningCredential? Find(Issuer issuer, string? name) => name is null ? null : issuer.Credentials.FirstOrDefault(credential => Of(credential) == name);
}
