using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Testing;

/// <summary>A certificate and a private key, which match unless a test joins others.</summary>
public sealed record TestCertificate(X509Certificate2 Certificate, TestKey Key)
{
    /// <summary>Writes the certificate in PEM and gives back the path.</summary>
    public string WriteCertificate(string directory, string name) => WritePem(Certificate, directory, name);

    /// <summary>Writes the private key in PEM, encrypted when there is a password, and gives back the path.</summary>
    public string WriteKey(string directory, string name, string? password = null)
    {
        string path = Path.Combine(directory, name + ".key");
        File.WriteAllText(path, Key.ToPem(password) + "\n");
        return path;
    }

    /// <summary>Writes both as PKCS #12 and gives back the path.</summary>
    public string WritePfx(string directory, string name, string password)
    {
        string path = Path.Combine(directory, name + ".pfx");
        using X509Certificate2 joined = Key.Join(Certificate);
        File.WriteAllBytes(path, joined.Export(X509ContentType.Pkcs12, password));
        return path;
    }

    /// <summary>Writes any certificate in PEM and gives back the path.</summary>
    public static string WritePem(X509Certificate2 certificate, string directory, string name)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        string path = Path.Combine(directory, name + ".pem");
        File.WriteAllText(path, certificate.ExportCertificatePem() + "\n");
        return path;
    }
}
