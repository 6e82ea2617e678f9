"""What other software makes: `openssl ocsp` and python3-cryptography. Its answers bear the time of day, so they are made once and kept."""

import datetime
import subprocess
import tempfile
import pathlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import OCSPNonce, ReasonFlags, ocsp

INDEX = """V\t491231235959Z\t\t1001\tunknown\t/CN=good
R\t491231235959Z\t260101000000Z,keyCompromise\t1002\tunknown\t/CN=revoked
R\t491231235959Z\t260101000000Z,holdInstruction,holdInstructionReject\t1003\tunknown\t/CN=held
R\t491231235959Z\t260101000000Z,keyTime,20251231000000Z\t1004\tunknown\t/CN=compromised
R\t491231235959Z\t260101000000Z,CAkeyTime,20251231000000Z\t1005\tunknown\t/CN=ca-compromised
R\t491231235959Z\t260101000000Z\t1006\tunknown\t/CN=no-reason
"""


def capture(folder, pki):
    folder.mkdir(exist_ok=True)
    ca, responder, key = (str(pki.folder / n) for n in ("ca-rsa.cert.pem", "responder-rsa.cert.pem", "responder-rsa.key.pem"))

    def openssl(*arguments):
        done = subprocess.run(["openssl", "ocsp", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)

    serials = [a for s in range(0x1001, 0x1008) for a in ("-serial", hex(s))]
    openssl("-issuer", ca, "-no_nonce", "-serial", "0x1001", "-reqout", folder / "openssl-request-one.der")
    openssl("-issuer", ca, "-nonce", *serials, "-reqout", folder / "openssl-request-many-nonce.der")
    openssl("-sha256", "-issuer", ca, "-no_nonce", "-serial", "0x1001", "-reqout", folder / "openssl-request-sha256.der")
    openssl("-issuer", ca, "-no_nonce", "-serial", "0x1001", "-signer", pki.folder / "requestor-rsa.cert.pem", "-signkey", pki.folder / "requestor-rsa.key.pem",
            "-reqout", folder / "openssl-request-signed.der")
    with tempfile.TemporaryDirectory() as scratch:
        index = pathlib.Path(scratch) / "index.txt"
        index.write_text(INDEX)
        common = ("-index", index, "-CA", ca, "-rsigner", responder, "-rkey", key)
        many = folder / "openssl-request-many-nonce.der"
        openssl(*common, "-reqin", many, "-ndays", "7", "-respout", folder / "openssl-response-many-nonce-by-name.der")
        openssl(*common, "-reqin", many, "-resp_key_id", "-respout", folder / "openssl-response-many-nonce-by-key.der")
        openssl(*common, "-reqin", folder / "openssl-request-one.der", "-resp_no_certs", "-respout", folder / "openssl-response-no-certs.der")
        openssl(*common, "-reqin", folder / "openssl-request-sha256.der", "-rsigopt", "rsa_padding_mode:pss", "-rmd", "sha256", "-respout", folder / "openssl-response-pss.der")

    subject, issuer = pki.certs["subject-20-octets"], pki.ca
    for algorithm in (hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
        built = ocsp.OCSPRequestBuilder().add_certificate(subject, issuer, algorithm).add_extension(OCSPNonce(bytes(range(16))), False).build()
        (folder / f"pyca-request-{algorithm.name}.der").write_bytes(built.public_bytes(Encoding.DER))
    at = datetime.datetime(2026, 3, 1, 11)
    for name, status, time, reason in (("good", ocsp.OCSPCertStatus.GOOD, None, None), ("revoked", ocsp.OCSPCertStatus.REVOKED, at, ReasonFlags.aa_compromise), ("unknown", ocsp.OCSPCertStatus.UNKNOWN, None, None)):
        built = (ocsp.OCSPResponseBuilder().add_response(subject, issuer, hashes.SHA256(), status, at, at + datetime.timedelta(days=7), time, reason)
                 .responder_id(ocsp.OCSPResponderEncoding.HASH, pki.certs["responder-p384"]).certificates([pki.certs["responder-p384"]]).sign(pki.keys["responder-p384"], hashes.SHA384()))
        (folder / f"pyca-response-{name}.der").write_bytes(built.public_bytes(Encoding.DER))
