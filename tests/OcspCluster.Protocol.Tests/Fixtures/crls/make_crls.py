"""Makes the CRLs of this directory with python3-cryptography, signed by ../pki/ca-rsa. Run it in this directory; signatures are deterministic (RSA PKCS #1)."""
import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

ca = x509.load_der_x509_certificate(open("../pki/ca-rsa.cert.der", "rb").read())
key = serialization.load_pem_private_key(open("../pki/ca-rsa.key.pem", "rb").read(), None)
day = datetime.datetime(2026, 6, 1)
uri = x509.UniformResourceIdentifier("http://crl.example/shard-3.crl")


def idp(full_name=None, user=False, ca_only=False, reasons=None, indirect=False, attribute=False):
    return x509.IssuingDistributionPoint(full_name, None, user, ca_only, reasons, indirect, attribute)


def entry(serial, reason=None, invalidity=None, issuer=None):
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(day)
    if reason:
        builder = builder.add_extension(x509.CRLReason(reason), False)
    if invalidity:
        builder = builder.add_extension(x509.InvalidityDate(invalidity), False)
    if issuer:
        builder = builder.add_extension(x509.CertificateIssuer([x509.DirectoryName(issuer)]), True)
    return builder.build()


def make(name, number, entries, *extensions):
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.subject).last_update(day).next_update(day + datetime.timedelta(days=7))
    for extension, critical in ((x509.CRLNumber(number), False), (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key()), False)) + extensions:
        builder = builder.add_extension(extension, critical)
    for one in entries:
        builder = builder.add_revoked_certificate(one)
    open(name + ".der", "wb").write(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


R = x509.ReasonFlags
make("full", 2 ** 150 + 7, [entry(0x1001, R.key_compromise, day - datetime.timedelta(days=30)), entry(2 ** 158 + 1), entry(0x1003, R.certificate_hold)])
make("empty", 0, [])
make("shard", 5, [entry(0x1001, R.superseded)], (idp([uri], user=True), True))
make("some-reasons", 5, [entry(0x1001, R.key_compromise)], (idp(reasons=frozenset([R.key_compromise, R.aa_compromise])), True))
make("delta", 9, [entry(0x1003, R.remove_from_crl), entry(0x1004, R.privilege_withdrawn)], (x509.DeltaCRLIndicator(7), True))
make("indirect", 5, [entry(0x1001, issuer=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other")]))], (idp([uri], indirect=True), True))
