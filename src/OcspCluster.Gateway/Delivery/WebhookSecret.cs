namespace OcspCluster.Gateway;

/// <summary>A webhook's secret as Standard Webhooks writes it: <c>whsec_</c> and base64 of 24 to 64 octets.</summary>
public static class WebhookSecret
{
    private const string Prefix = "whsec_";
    private const int MaxFileBytes = 4096;

    /// <summary>Reads the first line of a file.</summary>
    /// <exception cref="InvalidDataException">It cannot be read or is no secret. The message does not show it.</exception>
    public static byte[] Read(string file)
    {
        string text = ReadLine(file);
        byte[] secret = new byte[64];
        return text.StartsWith(Prefix, StringComparison.Ordinal) && Convert.TryFromBase64String(text[Prefix.Length..], secret, out int length) && length >= 24
            ? secret[..length]
            : throw new InvalidDataException($"'{file}' has no secret in its first line: whsec_ and base64 of 24 to 64 octets, as by: echo \"whsec_$(openssl rand -base64 32)\"");
    }

    /// <summary>The first line of a small file, without blanks around it.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, is empty, or has what no header can have.</exception>
    internal static string ReadLine(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            using StreamReader reader = new(stream);
            string? line = stream.Length <= MaxFileBytes ? reader.ReadLine()?.Trim() : throw new InvalidDataException($"'{file}' is longer than {MaxFileBytes} octets");
            return line is { Length: > 0 } && !line.Any(c => c is < ' ' or > '~') ? line : throw new InvalidDataException($"the first line of '{file}' is empty, or not printable ASCII");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"'{file}' cannot be read: {e.Message}", e);
        }
    }
}
