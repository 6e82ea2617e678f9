using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.BouncyCastle.Tests;

/// <summary>A CA, a delegated responder and a certificate, all made by openssl with keys of one kind, on disk.</summary>
internal sealed class EdDsaCa : IDisposable
{
    public EdDsaCa(string algorithm)
    {
        OpenSsl.Write("openssl.cnf", """
            [req]
            distinguished_name=dn
            [dn]
            [ca]
            basicConstraints=critical,CA:TRUE
            keyUsage=critical,keyCertSign,cRLSign,digitalSignature
            [responder]
            extendedKeyUsage=OCSPSigning
            keyUsage=digitalSignature
            noCheck=ignored
            [leaf]
            keyUsage=digitalSignature

            """);
        OpenSsl.Write("index.txt", "V\t491231235959Z\t\t4711\tunknown\t/CN=leaf\nR\t491231235959Z\t250102030405Z,keyCompromise\t4712\tunknown\t/CN=revoked\n");
        OpenSsl.Run($"genpkey -algorithm {algorithm} -out ca.key");
        OpenSsl.Run("req -x509 -new -key ca.key -subj /CN=EdDSA-CA -days 30 -config openssl.cnf -extensions ca -out ca.pem");
        Issuer = X509Certificate2.CreateFromPem(OpenSsl.ReadText("ca.pem"));
        Responder = Issue(algorithm, "responder", "0x4710");
        Leaf = Issue(algorithm, "leaf", "0x4711");
    }

    public OpenSsl OpenSsl { get; } = new();

    public X509Certificate2 Issuer { get; }

    public X509Certificate2 Responder { get; }

    public X509Certificate2 Leaf { get; }

    public static OcspSignatureVerifier Verifier { get; } = new(EdDsaScheme.Ed25519, EdDsaScheme.Ed448);

    public static OcspVerificationOptions Options { get; } = new() { SignatureVerifier = Verifier };

    public EdDsaSigner ResponderSigner() => EdDsaSigner.FromPem(OpenSsl.ReadText("responder.key"));

    public void Dispose()
    {
        Issuer.Dispose();
        Responder.Dispose();
        Leaf.Dispose();
        OpenSsl.Dispose();
    }

    private X509Certificate2 Issue(string algorithm, string name, string serial)
    {
        OpenSsl.Run($"genpkey -algorithm {algorithm} -out {name}.key");
        OpenSsl.Run($"req -new -key {name}.key -subj /CN={name} -config openssl.cnf -out {name}.csr");
        OpenSsl.Run($"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -set_serial {serial} -days 30 -extfile openssl.cnf -extensions {name} -out {name}.pem");
        return X509Certificate2.CreateFromPem(OpenSsl.ReadText(name + ".pem"));
    }
}
