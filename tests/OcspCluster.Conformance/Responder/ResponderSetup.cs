using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>What a responder is started with. Immutable.</summary>
public sealed record ResponderSetup
{
    /// <summary>The issuers that it serves.</summary>
    public required IReadOnlyList<IssuerSetup> Issuers { get; init; }

    /// <summary>Configuration keys of the whole responder, such as <c>Ocsp:MaxCertIds</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>These issuers and nothing else set.</summary>
    public static ResponderSetup Of(params IReadOnlyList<IssuerSetup> issuers) => new() { Issuers = issuers };

    /// <summary>This setup with more configuration keys.</summary>
    public ResponderSetup With(params IEnumerable<(string Key, string Value)> settings) => this with { Settings = IssuerSetup.Merge(Settings, settings) };

    /// <summary>Writes the certificates and keys as files into a directory.</summary>
    /// <returns>The configuration that names them, and all settings: <c>Issuers:{id}:…</c> and the keys of the whole responder.</returns>
    public IReadOnlyDictionary<string, string> WriteTo(string directory)
    {
        Dictionary<string, string> configuration = new(Settings);
        foreach (IssuerSetup issuer in Issuers)
        {
            foreach ((string key, string value) in issuer.WriteTo(directory))
            {
                configuration[$"Issuers:{issuer.Id}:{key}"] = value;
            }
        }

        return configuration;
    }
}

/// <summary>How the responder's key is kept on disk.</summary>
public enum KeyFileKind
{
    /// <summary>PEM beside the certificate's.</summary>
    Pem,

    /// <summary>PEM, encrypted by a password.</summary>
    EncryptedPem,

    /// <summary>Certificate and key in one PKCS #12 file with a password.</summary>
    Pfx,
}

/// <summary>One issuer: its certificates, what signs for it, and its settings. Immutable.</summary>
public sealed record IssuerSetup
{
    private const string Password = "correct horse";

    /// <summary>The operator's name of it.</summary>
    public required string Id { get; init; }

    /// <summary>The issuer's certificates: one key, one name or several.</summary>
    public required IReadOnlyList<X509Certificate2> Certificates { get; init; }

    /// <summary>What signs: a delegate's certificate and key, or the CA's own.</summary>
    public required TestCertificate Responder { get; init; }

    /// <summary>What signs as well, for clients that prefer it; <see cref="Responder"/> is the default.</summary>
    public IReadOnlyList<TestCertificate> OtherResponders { get; init; } = [];

    /// <summary>How its key is kept.</summary>
    public KeyFileKind KeyFile { get; init; }

    /// <summary>Certificates whose signatures on requests are trusted.</summary>
    public IReadOnlyList<X509Certificate2> Requestors { get; init; } = [];

    /// <summary>Configuration keys below <c>Issuers:{id}</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>The issuer's first certificate.</summary>
    public X509Certificate2 Certificate => Certificates[0];

    /// <summary>Whether a delegate signs, and not the CA's own key.</summary>
    public bool IsDelegated => !Responder.Certificate.PublicKey.EncodedKeyValue.RawData.AsSpan().SequenceEqual(Certificate.PublicKey.EncodedKeyValue.RawData);

    /// <summary>This issuer with more settings.</summary>
    public IssuerSetup With(params IEnumerable<(string Key, string Value)> settings) => this with { Settings = Merge(Settings, settings) };

    /// <summary>Writes the files and gives the keys below <c>Issuers:{id}</c>.</summary>
    public IReadOnlyDictionary<string, string> WriteTo(string directory)
    {
        Dictionary<string, string> keys = new(Settings);
        for (int i = 0; i < Certificates.Count; i++)
        {
            keys["Certificates:" + i.ToString(CultureInfo.InvariantCulture)] = TestCertificate.WritePem(Certificates[i], directory, $"{Id}-{i}");
        }

        for (int i = 0; i < Requestors.Count; i++)
        {
            keys["Requestors:" + i.ToString(CultureInfo.InvariantCulture)] = TestCertificate.WritePem(Requestors[i], directory, $"{Id}-requestor-{i}");
        }

        string name = Id + "-responder";
        if (KeyFile == KeyFileKind.Pfx)
        {
            keys["Responder:Pfx"] = Responder.WritePfx(directory, name, Password);
        }
        else
        {
            keys["Responder:Certificate"] = Responder.WriteCertificate(directory, name);
            keys["Responder:Key"] = Responder.WriteKey(directory, name, KeyFile == KeyFileKind.EncryptedPem ? Password : null);
        }

        if (KeyFile != KeyFileKind.Pem)
        {
            keys["Responder:Password"] = Password;
        }

        for (int i = 0; i < OtherResponders.Count; i++)
        {
            string section = "Responders:" + i.ToString(CultureInfo.InvariantCulture);
            keys[section + ":Certificate"] = OtherResponders[i].WriteCertificate(directory, $"{name}-{i}");
            keys[section + ":Key"] = OtherResponders[i].WriteKey(directory, $"{name}-{i}");
        }

        return keys;
    }

    internal static IReadOnlyDictionary<string, string> Merge(IReadOnlyDictionary<string, string> settings, IEnumerable<(string Key, string Value)> more)
    {
        Dictionary<string, string> merged = new(settings);
        foreach ((string key, string value) in more)
        {
            merged[key] = value;
        }

        return merged;
    }
}
