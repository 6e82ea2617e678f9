using System.Diagnostics;

namespace OcspCluster.Standalone.Tests.Import;

/// <summary>A CA that <c>openssl ca</c> keeps in a directory of its own, with the index that it writes.</summary>
internal sealed class OpenSslCa : IDisposable
{
    private readonly DirectoryInfo _directory;

    private OpenSslCa(DirectoryInfo directory) => _directory = directory;

    public string IndexFile => Path.Combine(_directory.FullName, "index.txt");

    public static OpenSslCa Create()
    {
        OpenSslCa ca = new(Directory.CreateTempSubdirectory("ocsp-openssl-ca-"));
        File.WriteAllText(ca.IndexFile, "");
        Directory.CreateDirectory(Path.Combine(ca._directory.FullName, "certs"));
        File.WriteAllText(Path.Combine(ca._directory.FullName, "ca.cnf"), """
            [ca]
            default_ca = this
            [this]
            database = index.txt
            new_certs_dir = certs
            certificate = ca.pem
            private_key = ca.key
            rand_serial = yes
            default_md = sha256
            policy = any
            unique_subject = no
            crlnumber = crlnumber
            default_crl_days = 7
            [any]
            commonName = supplied
            [req]
            distinguished_name = dn
            [dn]
            """);
        File.WriteAllText(Path.Combine(ca._directory.FullName, "crlnumber"), "01\n");
        ca.Run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ca.cnf", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem");
        return ca;
    }

    /// <summary>Issues a certificate until the end of 2049; gives its serial number.</summary>
    public string Issue(string name)
    {
        Run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ca.cnf", "-subj", $"/CN={name}", "-keyout", "leaf.key", "-out", "leaf.csr");
        Run("ca", "-batch", "-notext", "-config", "ca.cnf", "-in", "leaf.csr", "-out", "leaf.pem", "-enddate", "491231235959Z");
        return File.ReadLines(IndexFile).Last().Split('\t')[3];
    }

    /// <summary>Revokes a certificate; gives its serial number.</summary>
    public string Revoke(string serial, params string[] arguments)
    {
        Run(["ca", "-config", "ca.cnf", "-revoke", $"certs/{serial}.pem", .. arguments]);
        return serial;
    }

    /// <summary>Makes a CRL; gives its file.</summary>
    public string MakeCrl()
    {
        Run("ca", "-gencrl", "-config", "ca.cnf", "-out", "crl.pem");
        return Path.Combine(_directory.FullName, "crl.pem");
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private void Run(params string[] arguments)
    {
        ProcessStartInfo start = new("openssl", arguments) { WorkingDirectory = _directory.FullName, RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("openssl did not start.");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(30)))
        {
            process.Kill();
        }

        Assert.True(process.ExitCode == 0, $"openssl {string.Join(' ', arguments)}: {output.Result}{error.Result}");
    }
}
