using System.Security.Cryptography;

namespace OcspCluster.Gateway;

/// <summary>Reads a certificate out of a JSON string.</summary>
internal static class CertificateText
{
    /// <summary>The DER inside PEM or plain base64; null when it is neither.</summary>
    public static byte[]? TryDecode(string text)
    {
        ReadOnlySpan<char> base64 = text;
        if (PemEncoding.TryFind(text, out PemFields pem))
        {
            if (text.AsSpan()[pem.Label] is not "CERTIFICATE")
            {
                return null;
            }

            base64 = text.AsSpan()[pem.Base64Data];
        }

        byte[] buffer = new byte[(base64.Length * 3 / 4) + 3];
        return base64.Length > 0 && Convert.TryFromBase64Chars(base64, buffer, out int written) ? buffer[..written] : null;
    }
}
