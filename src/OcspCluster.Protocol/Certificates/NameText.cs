using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>Writes a Name for people, whoever sent it.</summary>
internal static class NameText
{
    /// <summary>
    /// The name as .NET writes it, or its DER in hexadecimal: the reader of names does not look into their strings; .NET does, and writes nothing
    /// where one is broken, or throws, by platform.
    /// </summary>
    public static string Of(ReadOnlySpan<byte> name)
    {
        string text = "";
        try
        {
            text = new X500DistinguishedName(name).Name;
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
        }

        return text.Length > 0 ? text : Convert.ToHexString(name);
    }
}
