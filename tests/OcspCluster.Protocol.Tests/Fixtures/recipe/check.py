"""openssl and python3-cryptography as judges of the valid fixtures: neither shares code with the writer here."""

import subprocess

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

# What these readers refuse and RFC 6960 or field practice allows: unknown hashes (pyca) and nothing else.
NOT_FOR_PYCA = ("ok-hash-unknown", "ok-signed", "ok-serial-", "ok-nonce-in-single", "critical", "extension", "acceptable", "preferred", "service-locator", "requestor", "ok-many", "certid", "duplicate",
                "ok-version-explicit", "openssl-request-many", "openssl-request-signed")


def check(here, pki, manifest):
    failures = []
    for row in manifest:
        if row["outcome"] != "None" or "invalidExtension" in row or "junk" in row["file"]:  # openssl looks into certificates, we do not
            continue
        path = here / row["file"]
        option = "-reqin" if row["kind"] == "request" else "-respin"
        done = subprocess.run(["openssl", "ocsp", option, str(path), "-text", "-noverify"], capture_output=True, text=True)
        if "OCSP Request Data" not in done.stdout and "OCSP Response Data" not in done.stdout and "Responder Error" not in done.stdout:
            failures.append(f"openssl does not read {row['file']}: {done.stderr.strip()[:200]}")
        if row["kind"] == "response" and row.get("facts", {}).get("responses"):
            done = subprocess.run(["openssl", "ocsp", "-respin", str(path), "-CAfile", str(here / "pki/ca-rsa.cert.pem"), "-issuer", str(here / "pki/ca-rsa.cert.pem"),
                                   "-verify_other", str(here / "pki/responder-p256.cert.pem")], capture_output=True, text=True)
            if "Response verify OK" not in done.stderr:
                failures.append(f"openssl does not verify {row['file']}: {done.stderr.strip()[:200]}")
        if row["kind"] == "request" and not any(part in row["file"] for part in NOT_FOR_PYCA):
            loaded = ocsp.load_der_ocsp_request(path.read_bytes())
            facts = row.get("facts")
            if facts and (loaded.issuer_key_hash.hex() != facts["requests"][0]["issuerKeyHash"] or loaded.issuer_name_hash.hex() != facts["requests"][0]["issuerNameHash"]):
                failures.append(f"pyca reads other hashes in {row['file']}")
        if row["kind"] == "response" and "responses" in row.get("facts", {}) and len(row["facts"]["responses"]) == 1 and not any(part in row["file"] for part in ("version", "false-written-out")):  # pyca holds to DER
            loaded = ocsp.load_der_ocsp_response(path.read_bytes())
            single = row["facts"]["responses"][0]
            if loaded.certificate_status.name.lower() != single["certStatus"] or loaded.this_update.isoformat() + "Z" != single["thisUpdate"]:
                failures.append(f"pyca reads another status in {row['file']}")

    # The same request by three makers.
    same = ocsp.OCSPRequestBuilder().add_certificate(pki.certs["subject-small"], pki.ca, hashes.SHA1()).build().public_bytes(Encoding.DER)
    if not same == (here / "requests/ok-one.der").read_bytes() == (here / "captured/openssl-request-one.der").read_bytes():
        failures.append("ok-one, pyca and openssl differ")
    print("\n".join(failures) or "openssl and python3-cryptography agree")
    if failures:
        raise SystemExit(1)
