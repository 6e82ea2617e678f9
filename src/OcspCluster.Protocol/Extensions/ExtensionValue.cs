using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>Reads the value of an extension that we understand; whatever is wrong in it is named as such.</summary>
internal static class ExtensionValue
{
    public static T? Read<T>(OcspExtensionCollection extensions, string oid, Func<AsnReader, T> read)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(extensions);
        if (extensions.Find(oid) is not OcspExtension extension)
        {
            return null;
        }

        try
        {
            AsnReader reader = new(extension.Value, AsnEncodingRules.DER);
            T value = read(reader);
            reader.End();
            return value;
        }
        catch (Exception e) when (e is AsnContentException or OcspFormatException)
        {
            throw new OcspFormatException(DecodeError.InvalidExtension, $"The value of extension {oid} is not what its definition says: {e.Message}", e);
        }
    }
}
