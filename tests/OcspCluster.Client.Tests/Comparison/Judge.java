import java.io.ByteArrayInputStream;
import java.nio.file.*;
import java.security.Security;
import java.security.cert.*;
import java.util.*;

/** Judges OCSP responses with Java's PKIX revocation checker. usage: Judge directory (ca.pem, leaf.pem, manifest.tsv); prints file and verdict, one a line. */
public class Judge {
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate ca = (X509Certificate) factory.generateCertificate(Files.newInputStream(directory.resolve("ca.pem")));
        X509Certificate leaf = (X509Certificate) factory.generateCertificate(Files.newInputStream(directory.resolve("leaf.pem")));
        CertPath path = factory.generateCertPath(List.of(leaf));
        StringBuilder output = new StringBuilder();
        for (String line : Files.readAllLines(directory.resolve("manifest.tsv"))) {
            String file = line.split("\t")[0];
            output.append(file).append('\t').append(judge(path, ca, leaf, Files.readAllBytes(directory.resolve(file)))).append('\n');
        }
        System.out.print(output);
    }

    private static String judge(CertPath path, X509Certificate ca, X509Certificate leaf, byte[] response) {
        try {
            CertPathValidator validator = CertPathValidator.getInstance("PKIX");
            PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
            checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK));
            checker.setOcspResponses(Map.of(leaf, response));
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(ca, null)));
            parameters.addCertPathChecker(checker);
            validator.validate(path, parameters);
            return "good";
        } catch (CertPathValidatorException e) {
            if (e.getReason() == CertPathValidatorException.BasicReason.REVOKED) {
                return "revoked";
            }
            return String.valueOf(e.getMessage()).toUpperCase(Locale.ROOT).contains("STATUS IS UNKNOWN") ? "unknown" : "refused";
        } catch (Exception e) {
            return "refused";
        }
    }
}
