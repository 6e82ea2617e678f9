using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;

namespace OcspCluster.Hosting.Configuration;

/// <summary>Reads one issuer: <c>Issuers:{id}</c> and the files that it names.</summary>
internal sealed class IssuerReader
{
    private static readonly string[] s_keyFiles = ["Key", "Pfx"];
    private static readonly string[] s_certificateFiles = ["Certificate"];
    private static readonly string[] s_credentialFiles = ["Certificate", "Key", "Pfx", "PasswordFile", "Pkcs11:PinFile"];

    private readonly SettingsReader _reader;
    private readonly string _path;
    private readonly Dictionary<X509Certificate2, (string Key, string File)> _origins = new(ReferenceEqualityComparer.Instance);
    private bool _hasFileProblem;

    private IssuerReader(SettingsReader reader, string path)
    {
        _reader = reader;
        _path = path;
    }

    /// <summary>The issuer; null when it could not even be put together. What is wrong is reported.</summary>
    public static Issuer? Read(SettingsReader reader, IConfigurationSection section, DateTimeOffset now) => new IssuerReader(reader, section.Path).Read(section.Key, now);

    /// <summary>The files that an issuer's credentials are read from: certificates and, where keys are loaded, keys, passwords and PINs.</summary>
    public static IReadOnlyList<string> FindCredentialFiles(Settings settings, string issuer, bool loadsPrivateKeys = true)
    {
        string[] names = loadsPrivateKeys ? s_credentialFiles : s_certificateFiles;
        SettingsReader reader = new(settings);
        string path = $"Issuers:{issuer}";
        IEnumerable<string> responders = settings.Section($"{path}:Responders").GetChildren().Select(section => section.Path).Prepend($"{path}:Responder");
        IEnumerable<string> keys = responders.SelectMany(_ => names, (responder, name) => $"{responder}:{name}").Append($"{path}:Certificate"); // the last where the CA signs itself
        return [.. keys.Select(key => (Key: key, File: reader.Text(key))).Where(file => file.File is not null).Select(file => settings.ResolvePath(file.Key, file.File!))];
    }

    /// <summary>An issuer's credentials as its files have them now.</summary>
    public static CredentialFilesContent ReadCredentials(Settings settings, string issuer, DateTimeOffset now, bool loadsPrivateKeys = true)
    {
        SettingsReader reader = new(settings) { LoadsPrivateKeys = loadsPrivateKeys };
        Issuer? read = Read(reader, settings.Section($"Issuers:{issuer}"), now);
        if (reader.Problems.Count == 0 && read is not null)
        {
            return new CredentialFilesContent(read.Credentials, []);
        }

        foreach (SigningCredential credential in read?.Credentials ?? [])
        {
            credential.Dispose();
        }

        return new CredentialFilesContent([], [.. reader.Problems.Select(problem => problem.ToString())]);
    }

    /// <summary>An issuer's certificates. What is wrong is reported.</summary>
    public static IReadOnlyList<X509Certificate2> ReadCertificates(SettingsReader reader, string issuer)
    {
        IssuerReader one = new(reader, $"Issuers:{issuer}");
        return [.. one.ReadCertificates("Certificate"), .. one.ReadCertificates("Certificates")];
    }

    private Issuer? Read(string id, DateTimeOffset now)
    {
        if (!IssuerId.IsValid(id))
        {
            _reader.Report(_path, null, $"'{id}' is no issuer id: 1 to 64 of a-z, 0-9, '-', '_', '.', the first a letter or digit");
        }

        IssuerPolicy policy = ReadPolicy();
        List<X509Certificate2> certificates = [.. ReadCertificates("Certificate"), .. ReadCertificates("Certificates")];
        List<X509Certificate2> requestors = ReadCertificates("Requestors");
        if (certificates.Count == 0 && !_hasFileProblem)
        {
            _reader.Report($"{_path}:Certificate", null, "is missing: name the file of the issuer's certificate");
        }

        List<SigningCredential> credentials = ReadCredentials(certificates);
        if (!IssuerId.IsValid(id) || certificates.Count == 0 || credentials.Count == 0)
        {
            // No issuer, but the policy can be judged all the same.
            _reader.Report(policy.FindErrors().Select(error => ConfigurationProblem.FromSentence(_path + ":", error)));
            return null;
        }

        Issuer issuer = new(new IssuerId(id), certificates, credentials, policy, requestors);
        foreach (IssuerFinding finding in IssuerRules.Find(issuer, now))
        {
            ConfigurationProblem problem = finding.Certificate is { } about
                ? new(_origins[about].Key, _origins[about].File, finding.Message)
                : ConfigurationProblem.FromSentence(_path + ":", finding.Message);
            if (finding.Severity == IssuerFindingSeverity.Error)
            {
                _reader.Report([problem]);
            }
            else
            {
                _reader.Warn(problem.Key, problem.Value, problem.Problem);
            }
        }

        return issuer;
    }

    private IssuerPolicy ReadPolicy()
    {
        IssuerPolicy @default = IssuerPolicy.Default;
        return new IssuerPolicy
        {
            Inventory = _reader.Choice(Key(nameof(IssuerPolicy.Inventory)), @default.Inventory),
            Unissued = _reader.Choice(Key(nameof(IssuerPolicy.Unissued)), @default.Unissued),
            ExpiredRetention = _reader.Duration(Key(nameof(IssuerPolicy.ExpiredRetention)), @default.ExpiredRetention),
            Nonce = _reader.Choice(Key(nameof(IssuerPolicy.Nonce)), @default.Nonce),
            NonceMaxBytes = _reader.Integer(Key(nameof(IssuerPolicy.NonceMaxBytes)), @default.NonceMaxBytes, 1, 128),
            AcceptRawNonce = _reader.Boolean(Key(nameof(IssuerPolicy.AcceptRawNonce)), @default.AcceptRawNonce),
            SignedRequests = _reader.Choice(Key(nameof(IssuerPolicy.SignedRequests)), @default.SignedRequests),
            Validity = _reader.Duration(Key(nameof(IssuerPolicy.Validity)), @default.Validity),
            RefreshAt = _reader.Number(Key(nameof(IssuerPolicy.RefreshAt)), @default.RefreshAt, 0.1, 0.95),
            MaxAge = _reader.Duration(Key(nameof(IssuerPolicy.MaxAge)), @default.MaxAge),
            Backdate = _reader.Duration(Key(nameof(IssuerPolicy.Backdate)), @default.Backdate),
            VerifySample = _reader.Number(Key(nameof(IssuerPolicy.VerifySample)), @default.VerifySample, 0, 1),
            ResponderId = _reader.Choice(Key(nameof(IssuerPolicy.ResponderId)), @default.ResponderId),
            Profile = _reader.Choice(Key(nameof(IssuerPolicy.Profile)), @default.Profile),
            Presign = _reader.Choice(Key(nameof(IssuerPolicy.Presign)), @default.Presign),
            PresignHashes = ReadPresignHashes(@default.PresignHashes),
            AskedWithin = _reader.Duration(Key(nameof(IssuerPolicy.AskedWithin)), @default.AskedWithin),
            RefreshSignaturesPerSecond = _reader.Integer(Key(nameof(IssuerPolicy.RefreshSignaturesPerSecond)), @default.RefreshSignaturesPerSecond),
            WithoutLease = _reader.Choice(Key(nameof(IssuerPolicy.WithoutLease)), @default.WithoutLease),
        };
    }

    private List<X509Certificate2> ReadCertificates(string name)
    {
        List<X509Certificate2> certificates = [];
        IConfigurationSection section = _reader.Settings.Section(Key(name));
        IEnumerable<(string Key, string File)> files = section.GetChildren().Any()
            ? section.GetChildren().Select(child => (child.Path, child.Value ?? ""))
            : _reader.List(section.Path).Select(file => (section.Path, file));
        foreach ((string key, string file) in files)
        {
            foreach (X509Certificate2 certificate in Try(key, file, CredentialFiles.ReadCertificates) ?? [])
            {
                _origins[certificate] = (key, file);
                certificates.Add(certificate);
            }
        }

        return certificates;
    }

    private List<SigningCredential> ReadCredentials(List<X509Certificate2> certificates)
    {
        List<IConfigurationSection> sections = [.. _reader.Settings.Section(Key("Responders")).GetChildren()];
        IConfigurationSection single = _reader.Settings.Section(Key("Responder"));
        if (single.GetChildren().Any())
        {
            sections.Insert(0, single);
        }

        if (sections.Count == 0)
        {
            _reader.Report(Key("Responder"), null, "is missing: give Certificate and Key of the responder, or Pfx, or the Key alone when the CA's own key signs");
        }

        return [.. sections.Select(section => ReadCredential(section.Path, certificates)).OfType<SigningCredential>()];
    }

    private SigningCredential? ReadCredential(string path, List<X509Certificate2> certificates)
    {
        (string pfxKey, string keyKey, string certificateKey) = ($"{path}:Pfx", $"{path}:Key", $"{path}:Certificate");
        if (!_reader.LoadsPrivateKeys)
        {
            return ReadCertificateOnly(path, certificates);
        }

        string? password = ReadPassword(path);
        SignerLimits limits = ReadLimits($"{path}:Limits");
        if (_reader.Settings.Section($"{path}:Pkcs11").GetChildren().Any())
        {
            return ReadPkcs11($"{path}:Pkcs11", path, limits, certificates);
        }

        if (_reader.Text(pfxKey) is string pfx)
        {
            if (_reader.Text(keyKey) is not null || _reader.Text(certificateKey) is not null)
            {
                _reader.Report(pfxKey, pfx, "stands beside Key or Certificate: a PKCS #12 file has both, take one way");
            }

            return Try(pfxKey, pfx, file => CredentialFiles.ReadPfx(file, password)) is { Certificate: not null } contents
                ? Credential(pfxKey, pfx, contents.Certificate, contents.Signer, limits)
                : null;
        }

        if (_reader.Text(keyKey) is not string keyFile)
        {
            _reader.Report(keyKey, null, "is missing: name the file of the private key, or give Pfx, or Pkcs11");
            return null;
        }

        OcspSigner? signer = Try(keyKey, keyFile, file => CredentialFiles.ReadKey(file, password));
        if (signer is not null && CredentialFiles.IsOpenToOthers(_reader.Settings.ResolvePath(keyKey, keyFile)))
        {
            _reader.Warn(keyKey, keyFile, "every user of this machine may read the private key: chmod 600");
        }

        if (_reader.Text(certificateKey) is string certificateFile)
        {
            X509Certificate2? certificate = Try(certificateKey, certificateFile, CredentialFiles.ReadCertificates)?[0]; // the CA's may follow
            return certificate is not null && signer is not null ? Credential(certificateKey, certificateFile, certificate, signer, limits) : null;
        }

        return signer is not null && certificates.Count > 0 ? Credential(keyKey, keyFile, X509CertificateLoader.LoadCertificate(certificates[0].RawData), signer, limits) : null;
    }

    /// <summary>Whose key another process has. The files of keys, passwords and PINs are not even opened.</summary>
    private SigningCredential? ReadCertificateOnly(string path, List<X509Certificate2> certificates)
    {
        (string certificateKey, string pfxKey) = ($"{path}:Certificate", $"{path}:Pfx");
        string? file = _reader.Text(certificateKey);
        if (file is null && _reader.Text(pfxKey) is string pfx)
        {
            _reader.Report(pfxKey, pfx, "is not opened by a silo that has no keys: give the certificate alone as Certificate, in place of Pfx");
            return null;
        }

        X509Certificate2? certificate = file is not null
            ? Try(certificateKey, file, CredentialFiles.ReadCertificates)?[0] // the CA's may follow
            : certificates.Count > 0 ? X509CertificateLoader.LoadCertificate(certificates[0].RawData) : null;
        if (certificate is null)
        {
            return null;
        }

        _origins[certificate] = file is not null ? (certificateKey, file) : ($"{_path}:Certificate", "");
        try
        {
            return new SigningCredential(certificate, OcspSigner.Keyless(certificate));
        }
        catch (ArgumentException e)
        {
            _reader.Report(certificateKey, file, e.Message);
            return null;
        }
    }

    /// <summary>A key in an HSM. What kind of key it is, its certificate says.</summary>
    private SigningCredential? ReadPkcs11(string section, string path, SignerLimits limits, List<X509Certificate2> certificates)
    {
        (string uriKey, string pinKey, string moduleKey, string certificateKey) = ($"{section}:Uri", $"{section}:PinFile", $"{section}:Module", $"{path}:Certificate");
        foreach (string other in s_keyFiles.Where(name => _reader.Text($"{path}:{name}") is not null))
        {
            _reader.Report($"{path}:{other}", _reader.Text($"{path}:{other}"), "stands beside Pkcs11: a key is in a file or in an HSM, take one of them");
        }

        if (_reader.Text(uriKey) is not string uri)
        {
            _reader.Report(uriKey, null, "is missing: name the key as pkcs11:token=...;object=...;type=private (RFC 7512)");
            return null;
        }

        Pkcs11Key key = new()
        {
            Uri = uri,
            PinFile = _reader.Text(pinKey) is string pin ? _reader.Settings.ResolvePath(pinKey, pin) : null,
            Module = _reader.Text(moduleKey) is string module ? _reader.Settings.ResolvePath(moduleKey, module) : null,
            Engine = _reader.Text($"{section}:Engine"),
            Provider = _reader.Text($"{section}:Provider"),
        };
        string[] errors = [.. key.FindErrors()];
        _reader.Report(errors.Select(error => ConfigurationProblem.FromSentence(section + ":", error)));
        if (key.PinFile is string pinFile && File.Exists(pinFile) && CredentialFiles.IsOpenToOthers(pinFile))
        {
            _reader.Warn(pinKey, pinFile, "every user of this machine may read the PIN: chmod 600");
        }

        (string originKey, string origin, X509Certificate2? certificate) = _reader.Text(certificateKey) is string file
            ? (certificateKey, file, Try(certificateKey, file, CredentialFiles.ReadCertificates)?[0]) // the CA's may follow
            : (uriKey, uri, certificates.Count > 0 ? X509CertificateLoader.LoadCertificate(certificates[0].RawData) : null);
        if (errors.Length > 0 || certificate is null)
        {
            return null;
        }

        try
        {
            return Credential(originKey, origin, certificate, Pkcs11Signer.Open(key, certificate), limits);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            _hasFileProblem = true;
            _reader.Report(uriKey, null, e.Message);
            return null;
        }
    }

    private IReadOnlyList<CertIdHash> ReadPresignHashes(IReadOnlyList<CertIdHash> @default)
    {
        string key = Key(nameof(IssuerPolicy.PresignHashes));
        List<CertIdHash> hashes = [];
        foreach (string name in _reader.List(key))
        {
            if (CertIdHash.All.FirstOrDefault(hash => string.Equals(Bare(hash.Name), Bare(name), StringComparison.OrdinalIgnoreCase)) is { } known)
            {
                hashes.Add(known);
            }
            else
            {
                _reader.Report(key, name, $"is none of {string.Join(", ", CertIdHash.All.Select(hash => Bare(hash.Name)))}");
            }
        }

        return hashes.Count == 0 ? @default : hashes;

        static string Bare(string name) => name.Replace("-", "", StringComparison.Ordinal);
    }

    private SignerLimits ReadLimits(string section)
    {
        SignerLimits @default = SignerLimits.Default;
        SignerLimits limits = new()
        {
            Concurrency = _reader.Integer($"{section}:{nameof(SignerLimits.Concurrency)}", @default.Concurrency),
            MaxWaiting = _reader.Integer($"{section}:{nameof(SignerLimits.MaxWaiting)}", @default.MaxWaiting),
            Deadline = _reader.Duration($"{section}:{nameof(SignerLimits.Deadline)}", @default.Deadline),
            FailuresToRest = _reader.Integer($"{section}:{nameof(SignerLimits.FailuresToRest)}", @default.FailuresToRest),
            Rest = _reader.Duration($"{section}:{nameof(SignerLimits.Rest)}", @default.Rest),
        };
        _reader.Report(limits.FindErrors().Select(error => ConfigurationProblem.FromSentence(section + ":", error)));
        return limits;
    }

    private SigningCredential Credential(string key, string file, X509Certificate2 certificate, OcspSigner signer, SignerLimits limits)
    {
        _origins[certificate] = (key, file);
        return new SigningCredential(certificate, signer, limits: limits);
    }

    private string? ReadPassword(string path)
    {
        string? password = _reader.Text($"{path}:Password");
        if (_reader.Text($"{path}:PasswordFile") is not string file)
        {
            return password;
        }

        if (password is not null)
        {
            _reader.Report($"{path}:PasswordFile", file, "stands beside Password: take one of them");
        }

        return Try($"{path}:PasswordFile", file, CredentialFiles.ReadPassword);
    }

    private T? Try<T>(string key, string file, Func<string, T> read)
    {
        try
        {
            return read(_reader.Settings.ResolvePath(key, file));
        }
        catch (CredentialFileException e)
        {
            _hasFileProblem = true;
            _reader.Report(key, file, e.Message);
            return default;
        }
    }

    private string Key(string name) => $"{_path}:{name}";
}
