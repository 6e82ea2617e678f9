using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client;

namespace OcspCluster.Cli;

/// <summary>Reads and writes the files that a command line names; what goes wrong is a <see cref="CommandFailure"/> that names the file.</summary>
internal static class Files
{
    private const int MaxCertificates = 1000;
    private const long MaxBytes = 64 * 1024 * 1024;

    /// <summary>The certificates in a file: DER, PEM, base64, PKCS #7. At least one.</summary>
    public static IReadOnlyList<X509Certificate2> ReadCertificates(string path)
    {
        try
        {
            IReadOnlyList<X509Certificate2> certificates = CertificateFile.Read(ReadBytes(path), MaxCertificates);
            return certificates.Count > 0 ? certificates : throw new CommandFailure($"'{path}' has no certificate in it that can be read.");
        }
        catch (FormatException)
        {
            throw new CommandFailure($"'{path}' has a PEM block that is not base64.");
        }
    }

    /// <summary>A certificate with its private key, from PEM.</summary>
    public static X509Certificate2 ReadSigner(string certificate, string key, string? passwordFile)
    {
        try
        {
            return passwordFile is null
                ? X509Certificate2.CreateFromPemFile(certificate, key)
                : X509Certificate2.CreateFromEncryptedPemFile(certificate, File.ReadAllText(passwordFile).TrimEnd('\r', '\n'), key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new CommandFailure($"'{certificate}' and '{key}' are no certificate and its private key in PEM: {e.Message}");
        }
    }

    public static byte[] ReadBytes(string path) => Guard(path, () => new FileInfo(path) is { Exists: true, Length: > MaxBytes }
        ? throw new CommandFailure($"'{path}' has more than {MaxBytes / 1024 / 1024} MiB.")
        : File.ReadAllBytes(path));

    /// <summary>The lines of a list that are not empty and no comment (<c>#</c>); <c>-</c> is standard input.</summary>
    public static IReadOnlyList<string> ReadList(string path) => Guard(path, () =>
    {
        IEnumerable<string> lines = path == "-" ? Lines(Console.In) : File.ReadLines(path);
        return lines.Select(line => line.Split('#')[0].Trim()).Where(line => line.Length > 0).ToArray();
    });

    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        try
        {
            File.WriteAllBytes(path, bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"'{path}' cannot be written: {e.Message}");
        }
    }

    private static IEnumerable<string> Lines(TextReader reader)
    {
        while (reader.ReadLine() is string line)
        {
            yield return line;
        }
    }

    private static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"'{path}' cannot be read: {e.Message}");
        }
    }
}
