namespace OcspCluster.Conformance;

/// <summary>Small relying parties in other languages.</summary>
internal static class ForeignPrograms
{
    /// <summary>Arguments: issuer, URL, certificates. Prints the verdict on each, without and with a nonce.</summary>
    public const string Java = """
        import java.io.*;
        import java.net.URI;
        import java.nio.file.Path;
        import java.security.SecureRandom;
        import java.security.cert.*;
        import java.util.*;

        public class Check {
            public static void main(String[] args) throws Exception {
                CertificateFactory factory = CertificateFactory.getInstance("X.509");
                X509Certificate issuer = read(factory, args[0]);
                for (int i = 2; i < args.length; i++) {
                    for (boolean nonce : new boolean[] { false, true }) {
                        String name = Path.of(args[i]).getFileName() + (nonce ? " with nonce: " : " without nonce: ");
                        System.out.println(name + check(factory, issuer, read(factory, args[i]), new URI(args[1]), nonce));
                    }
                }
            }

            static String check(CertificateFactory factory, X509Certificate issuer, X509Certificate leaf, URI url, boolean nonce) throws Exception {
                CertPathValidator validator = CertPathValidator.getInstance("PKIX");
                PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
                checker.setOcspResponder(url);
                checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK, PKIXRevocationChecker.Option.ONLY_END_ENTITY));
                if (nonce) {
                    checker.setOcspExtensions(List.of(new Nonce()));
                }

                PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(issuer, null)));
                parameters.addCertPathChecker(checker);
                try {
                    validator.validate(factory.generateCertPath(List.of(leaf)), parameters);
                    return "good";
                } catch (CertPathValidatorException e) {
                    return e.getReason() == CertPathValidatorException.BasicReason.REVOKED ? "REVOKED" : e.getReason() + " " + e;
                }
            }

            static X509Certificate read(CertificateFactory factory, String path) throws Exception {
                try (InputStream in = new FileInputStream(path)) {
                    return (X509Certificate) factory.generateCertificate(in);
                }
            }

            static class Nonce implements Extension {
                private final byte[] value = new byte[18];

                Nonce() {
                    new SecureRandom().nextBytes(value);
                    value[0] = 4;
                    value[1] = 16;
                }

                public String getId() { return "1.3.6.1.5.5.7.48.1.2"; }

                public boolean isCritical() { return false; }

                public byte[] getValue() { return value.clone(); }

                public void encode(OutputStream out) throws IOException {
                    byte[] head = { 0x30, 0x1F, 0x06, 0x09, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02, 0x04, 0x12 };
                    out.write(head);
                    out.write(value);
                }
            }
        }
        """;

    /// <summary>Arguments: issuer, responder, URL, certificates. Asks by POST and by GET, verifies, prints the status of each under two hashes.</summary>
    public const string Python = """
        import base64, os, sys, urllib.parse, urllib.request
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.x509 import ocsp

        def read(path):
            with open(path, "rb") as file:
                return x509.load_pem_x509_certificate(file.read())

        issuer, responder, url = read(sys.argv[1]), read(sys.argv[2]), sys.argv[3]

        def verify(answer):
            assert answer.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL, answer.response_status
            key = responder.public_key()
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(answer.signature_hash_algorithm))
            else:
                key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), answer.signature_hash_algorithm)

        for path in sys.argv[4:]:
            for hash in (hashes.SHA1(), hashes.SHA256()):
                request = ocsp.OCSPRequestBuilder().add_certificate(read(path), issuer, hash)
                plain = request.build().public_bytes(serialization.Encoding.DER)
                nonce = os.urandom(16)
                nonced = request.add_extension(x509.OCSPNonce(nonce), False).build().public_bytes(serialization.Encoding.DER)

                post = urllib.request.Request(url, nonced, {"Content-Type": "application/ocsp-request"})
                byPost = ocsp.load_der_ocsp_response(urllib.request.urlopen(post, timeout=20).read())
                verify(byPost)
                assert byPost.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce in (nonce, b"\x04\x10" + nonce)

                target = url + urllib.parse.quote(base64.b64encode(plain).decode(), safe="")
                byGet = ocsp.load_der_ocsp_response(urllib.request.urlopen(target, timeout=20).read())
                verify(byGet)
                assert len(byGet.extensions) == 0
                assert byGet.certificate_status == byPost.certificate_status
                assert byGet.serial_number == read(path).serial_number
                reason = byGet.revocation_reason.value if byGet.revocation_reason else None
                print(f"{os.path.basename(path)} {hash.name.upper()}: {byGet.certificate_status.name} {reason}")
        """;
}
