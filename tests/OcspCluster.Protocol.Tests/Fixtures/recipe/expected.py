"""Exact octets that an encoder must write, by the name of the test case that builds them. Inputs: the certificates in pki/, the times in ocsp.py."""

from recipe.der import enumerated, null, octets, oid, seq, time
from recipe.ocsp import *
from recipe.pki import SERIALS
from recipe.signing import Signer
from recipe.valid import AIA, general_names, preferred, single_extensions
from recipe.der import Raw


def hexes(pki):
    ca, p256 = pki.ca, pki.certs["responder-p256"]
    for hash_name in ("sha1", "sha224", "sha256", "sha384", "sha512"):
        for parameters in ("null", "absent"):
            for subject, serial in SERIALS.items():
                yield f"CertID {subject} {hash_name} {parameters}", cert_id(ca, serial, hash_name, parameters)
    for form, name in general_names(ca).items():
        yield f"GeneralName {form}", name
    yield "Extension nonce", nonce()
    yield "Extension acceptable-responses", extension("x", ACCEPTABLE, seq("AcceptableResponses", oid("type", BASIC)))
    yield "Extension preferred-signature-algorithms", extension("x", PREFERRED, preferred())
    yield "Extension service-locator", extension("x", SERVICE_LOCATOR, seq("s", Raw("issuer", ca.subject.public_bytes()), AIA))
    yield "Extension extended-revoke", extension("x", EXTENDED_REVOKE, null())
    yield "Extension unknown critical", extension("x", UNKNOWN_EXTENSION, null(), True)
    for name, _, node in single_extensions(ca):
        yield f"Extension {name}", node
    yield "SingleResponse good", single_response(cert_id(ca, 0x1001), good())
    yield "SingleResponse good no-next-update", single_response(cert_id(ca, 0x1001), good(), next_=None)
    yield "SingleResponse unknown", single_response(cert_id(ca, 0x1001), unknown())
    yield "SingleResponse revoked", single_response(cert_id(ca, 0x1001), revoked())
    for reason in (1, 2, 3, 4, 5, 6, 9, 10):
        yield f"SingleResponse revoked {reason}", single_response(cert_id(ca, 0x1001), revoked(reason=reason))
    yield "SingleResponse archive-cutoff", single_response(cert_id(ca, 0x1001), good(), exts=[e for n, _, e in single_extensions(ca) if n == "archive-cutoff"])
    yield "ResponseData by-key", response_data(by_key(p256), [single_response(cert_id(ca, 0x1001), good())])
    yield "ResponseData by-name", response_data(by_name(p256), [single_response(cert_id(ca, 0x1001), good())])
    yield "ResponseData nonce", response_data(by_key(p256), [single_response(cert_id(ca, 0x1001), good())], [nonce()])
    for kind, hash_name, pss in (("rsa", "sha256", False), ("rsa", "sha384", False), ("rsa", "sha512", False), ("rsa", "sha256", True), ("rsa", "sha384", True), ("rsa", "sha512", True),
                                 ("p256", "sha256", False), ("p384", "sha384", False), ("p521", "sha512", False), ("dsa", "sha256", False)):
        yield f"AlgorithmIdentifier {kind} {hash_name}{' pss' if pss else ''}", Signer(pki.keys[f"responder-{kind}"], hash_name, pss).algorithm()
