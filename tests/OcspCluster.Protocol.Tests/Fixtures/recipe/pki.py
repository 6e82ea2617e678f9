"""The certificates of the fixtures: one CA, its delegated responders, a requestor and subjects; all signed with RSA PKCS #1, which is deterministic."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from recipe.signing import load

START, END = datetime.datetime(2025, 1, 1), datetime.datetime(2049, 12, 31, 23, 59, 59)
KINDS = ("rsa", "p256", "p384", "p521", "dsa", "ed25519")
SERIALS = {"subject-small": 0x1001, "subject-high-bit": 0xFF, "subject-20-octets": 0x7A6B5C4D3E2F1001A2B3C4D5E6F708192A3B4C5D}


class Pki:
    def __init__(self, folder):
        self.folder = folder
        self.keys = {path.name.removesuffix(".key.pem"): load(path) for path in sorted(folder.glob("*.key.pem"))}
        self.certs = {}
        self.issue("ca-rsa", 1, "Fixture CA", ca=True)
        for number, kind in enumerate(KINDS):
            self.issue(f"responder-{kind}", 0x2001 + number, f"Fixture Responder {kind}", responder=True)
        for number, kind in enumerate(("rsa", "p256")):
            self.issue(f"requestor-{kind}", 0x3001 + number, f"Fixture Requestor {kind}")
        for name, serial in SERIALS.items():
            self.issue(name, serial, name, key="subject-p256")

    def issue(self, name, serial, common_name, key=None, ca=False, responder=False):
        subject = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "OCSP Fixtures"),
                             x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = (x509.CertificateBuilder().serial_number(serial).subject_name(subject)
                   .issuer_name(subject if ca else self.certs["ca-rsa"].subject).not_valid_before(START).not_valid_after(END)
                   .public_key(self.keys[key or name].public_key()).add_extension(x509.BasicConstraints(ca, None), critical=True))
        if responder:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False).add_extension(x509.OCSPNoCheck(), False)
        self.certs[name] = builder.sign(self.keys["ca-rsa"], hashes.SHA256())
        (self.folder / f"{name}.cert.der").write_bytes(self.der(name))
        (self.folder / f"{name}.cert.pem").write_bytes(self.certs[name].public_bytes(Encoding.PEM))

    def der(self, name):
        return self.certs[name].public_bytes(Encoding.DER)

    @property
    def ca(self):
        return self.certs["ca-rsa"]
