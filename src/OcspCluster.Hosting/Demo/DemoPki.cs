using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Hosting.Demo;

// Everything is kept in files, each written at once (a new file that is renamed), and looked at again on every start: what is
// missing, near its end or of another CA is made anew. So a start that was killed in the middle is mended by the next one. Only
// ca.pem and ca.key are never replaced while one of them is there: what they signed would be lost.

/// <summary>
/// A CA to try the responder with: <c>ca.pem</c>, a delegated responder, and four certificates in the four states that a client can meet.
/// Its keys lie unencrypted on the disk; nobody should trust it.
/// </summary>
internal sealed class DemoPki
{
    /// <summary>The issuer's id.</summary>
    public const string Id = "demo";

    /// <summary>Where it is within the data directory.</summary>
    public const string DirectoryName = "demo";

    private static readonly TimeSpan s_caLifetime = TimeSpan.FromDays(20 * 365);
    private static readonly TimeSpan s_certificateLifetime = TimeSpan.FromDays(5 * 365);
    private static readonly TimeSpan s_responderLifetime = TimeSpan.FromDays(365);
    private static readonly TimeSpan s_renewBefore = TimeSpan.FromDays(60);

    // The names of the four certificates, and what is to be said of each.
    private static readonly (string Name, string Answer)[] s_certificates =
        [("good", "good"), ("revoked", "revoked, reason keyCompromise"), ("held", "revoked, reason certificateHold"), ("unissued", "Responder Error: unauthorized (6)")];

    private readonly string _directory;
    private readonly DateTimeOffset _now;
    private readonly X509Certificate2 _ca; // with its key

    private DemoPki(string directory, DateTimeOffset now, X509Certificate2 ca)
    {
        _directory = directory;
        _now = now;
        _ca = ca;
        X509Certificate2 responder = OpenResponder();
        Issuer = new Issuer(new IssuerId(Id), [X509CertificateLoader.LoadCertificate(ca.RawData)], [new SigningCredential(responder)]);
    }

    /// <summary>The names of the files that hold no private key.</summary>
    public static IReadOnlyList<string> CertificateFileNames { get; } = ["ca.pem", "responder.pem", .. s_certificates.Select(certificate => certificate.Name + ".pem")];

    /// <summary>The names of all files of a complete directory.</summary>
    public static IReadOnlyList<string> FileNames { get; } = [.. CertificateFileNames, "ca.key", "responder.key"];

    /// <summary>The demo CA as an issuer.</summary>
    public Issuer Issuer { get; }

    /// <summary>Opens the demo CA of a directory; makes it on the first start.</summary>
    /// <exception cref="HostStartException">Its files are damaged or cannot be written.</exception>
    public static DemoPki Open(string directory, DateTimeOffset now)
    {
        try
        {
            Directory.CreateDirectory(directory);
            return new DemoPki(directory, now, OpenCa(directory, now));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new HostStartException($"The demo CA in '{directory}' cannot be used: {e.Message} Delete that directory to have a new one, or configure your own issuers (section Issuers).", e);
        }
    }

    /// <summary>The demo CA of a directory as an issuer whose keys are with others: no file of a private key is opened.</summary>
    /// <exception cref="HostStartException">Its files are missing or damaged.</exception>
    public static Issuer OpenWithoutKeys(string directory)
    {
        try
        {
            X509Certificate2 ca = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(directory, "ca.pem"));
            X509Certificate2 responder = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(directory, "responder.pem"));
            return new Issuer(new IssuerId(Id), [ca], [new SigningCredential(responder, OcspSigner.Keyless(responder))]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new HostStartException($"The demo CA in '{directory}' cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Makes the certificates that are missing.</summary>
    /// <param name="ocsp">Where OCSP is answered, for the certificates' AIA.</param>
    public void EnsureCertificates(Uri ocsp)
    {
        foreach ((string name, _) in s_certificates)
        {
            OpenCertificate(name, ocsp).Dispose();
        }
    }

    /// <summary>Writes one of the files, as another host made it. After a crash it is the old one or the new.</summary>
    /// <param name="directory">The directory; made where it is missing.</param>
    /// <param name="name">One of <see cref="FileNames"/>.</param>
    /// <param name="text">PEM.</param>
    public static void WriteFile(string directory, string name, string text)
    {
        Directory.CreateDirectory(directory);
        Write(Path.Combine(directory, name), text, name.EndsWith(".key", StringComparison.Ordinal) ? UnixFileMode.UserRead | UnixFileMode.UserWrite : null);
    }

    /// <summary>Makes the certificates that are missing, and records what happened to them. The second time it changes nothing.</summary>
    /// <param name="authority">Takes the demo issuer's events.</param>
    /// <param name="ocsp">Where OCSP is answered, for the certificates' AIA.</param>
    public async Task SeedAsync(IRevocationAuthority authority, Uri ocsp)
    {
        List<RevocationEvent> events = [];
        foreach ((string name, _) in s_certificates)
        {
            using X509Certificate2 certificate = OpenCertificate(name, ocsp);
            SerialNumber serial = SerialNumber.FromCertificate(certificate);
            if (name == "unissued")
            {
                continue; // never told to anybody: that is its point
            }

            events.Add(Event(serial, EventKind.Issued) with { NotAfter = certificate.NotAfter.ToUniversalTime() });
            if (name == "revoked")
            {
                events.Add(Event(serial, EventKind.Revoked) with { Reason = RevocationReason.KeyCompromise });
            }
            else if (name == "held")
            {
                events.Add(Event(serial, EventKind.Held));
            }
        }

        _ = await authority.SubmitAsync(new IssuerId(Id), events, Submitter.Local, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>What to paste into a shell, and what it should print.</summary>
    /// <param name="dataDirectory">The data directory as the operator wrote it.</param>
    /// <param name="ocsp">Where OCSP is answered.</param>
    public static string Describe(string dataDirectory, Uri ocsp)
    {
        string url = ocsp.AbsolutePath == "/" ? ocsp.GetLeftPart(UriPartial.Authority) : ocsp.AbsoluteUri;
        int width = s_certificates.Max(certificate => PathOf(certificate.Name + ".pem").Length);
        StringBuilder text = new();
        text.AppendLine();
        text.AppendLine("No issuers are configured, so this is a demo CA. Ask about its certificates:");
        foreach ((string name, string answer) in s_certificates)
        {
            text.AppendLine();
            text.Append("  ").Append(name).Append(".pem is answered: ").AppendLine(answer);
            text.Append("    openssl ocsp -issuer ").Append(PathOf("ca.pem"))
                .Append(" -cert ").Append(PathOf(name + ".pem").PadRight(width))
                .Append(" -url ").Append(url)
                .Append(" -CAfile ").AppendLine(PathOf("ca.pem"));
        }

        return text.AppendLine().ToString();

        string PathOf(string file)
        {
            string path = Path.Combine(dataDirectory, DirectoryName, file);
            return path.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+:\\".Contains(c, StringComparison.Ordinal)) ? path : "'" + path.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
        }
    }

    private static X509Certificate2 OpenCa(string directory, DateTimeOffset now)
    {
        string certificateFile = Path.Combine(directory, "ca.pem");
        string keyFile = Path.Combine(directory, "ca.key");
        if (File.Exists(certificateFile))
        {
            return X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        }

        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(Name("OcspCluster demo CA"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        X509Certificate2 ca = request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - TimeSpan.FromHours(1), now + s_caLifetime, NewSerial());
        WriteKey(keyFile, key);
        Write(certificateFile, ca.ExportCertificatePem() + "\n");
        using (ca)
        {
            return ca.CopyWithPrivateKey(key);
        }
    }

    // BR 7.1.2.8: version 3, issued by the CA itself, EKU OCSPSigning alone, nocheck not critical, keyUsage digitalSignature alone and
    // critical, key identifiers, and nothing more; notBefore less than a day back.
    private X509Certificate2 OpenResponder()
    {
        string certificateFile = Path.Combine(_directory, "responder.pem");
        string keyFile = Path.Combine(_directory, "responder.key");
        if (File.Exists(certificateFile) && File.Exists(keyFile))
        {
            try
            {
                X509Certificate2 present = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
                if (IsOurs(present) && _now >= present.NotBefore.ToUniversalTime() && _now + s_renewBefore < present.NotAfter.ToUniversalTime())
                {
                    return present;
                }

                present.Dispose();
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                // A key and a certificate that do not belong together, as a start leaves that was killed between the two: made anew.
            }
        }

        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(Name("OcspCluster demo responder"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.9")], critical: false));
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.48.1.5", [0x05, 0x00], critical: false));
        using X509Certificate2 certificate = Issue(request, s_responderLifetime);
        WriteKey(keyFile, key);
        Write(certificateFile, certificate.ExportCertificatePem() + "\n");
        return certificate.CopyWithPrivateKey(key);
    }

    private X509Certificate2 OpenCertificate(string name, Uri ocsp)
    {
        string file = Path.Combine(_directory, name + ".pem");
        if (File.Exists(file))
        {
            X509Certificate2 present = X509CertificateLoader.LoadCertificateFromFile(file);
            if (IsOurs(present) && _now < present.NotAfter.ToUniversalTime())
            {
                return present;
            }

            present.Dispose();
        }

        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256); // nobody will use it, so it is not kept
        CertificateRequest request = new(Name(name + ".demo.test"), key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name + ".demo.test");
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([ocsp.AbsoluteUri], []));
        X509Certificate2 certificate = Issue(request, s_certificateLifetime);
        Write(file, certificate.ExportCertificatePem() + "\n");
        return certificate;
    }

    private X509Certificate2 Issue(CertificateRequest request, TimeSpan lifetime)
    {
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_ca, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        DateTimeOffset end = _now + lifetime;
        return request.Create(_ca, _now - TimeSpan.FromMinutes(5), end < _ca.NotAfter ? end : _ca.NotAfter, NewSerial());
    }

    private bool IsOurs(X509Certificate2 certificate) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(_ca.SubjectName.RawData)
        && certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } keyId
        && _ca.Extensions.OfType<X509SubjectKeyIdentifierExtension>().First().SubjectKeyIdentifierBytes.Span.SequenceEqual(keyId.Span);

    private RevocationEvent Event(SerialNumber serial, EventKind kind) => new()
    {
        Id = $"demo:{serial}:{kind.ToString().ToLowerInvariant()}",
        Serial = serial,
        Kind = kind,
        At = new DateTimeOffset(_now.UtcTicks - (_now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero),
    };

    private static X500DistinguishedName Name(string commonName)
    {
        X500DistinguishedNameBuilder builder = new();
        builder.AddCommonName(commonName); // the builder writes from the end: O, CN
        builder.AddOrganizationName("OcspCluster demo");
        return builder.Build();
    }

    // 16 octets, positive, 126 of their bits random: within 20 octets and well above the 64 random bits of BR 7.1.2.8.
    private static byte[] NewSerial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
        return serial;
    }

    private static void WriteKey(string file, ECDsa key) => Write(file, key.ExportPkcs8PrivateKeyPem() + "\n", UnixFileMode.UserRead | UnixFileMode.UserWrite);

    private static void Write(string file, string text, UnixFileMode? mode = null)
    {
        string unfinished = file + ".new";
        File.Delete(unfinished); // a mode is given to new files only
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (mode is not null && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        using (FileStream stream = new(unfinished, options))
        {
            stream.Write(Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(unfinished, file, overwrite: true);
    }
}
