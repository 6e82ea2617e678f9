"""Judges OCSP responses with python3-cryptography: it parses; the rules are the few lines that its users write (RFC 6960 section 3.2).

usage: judge.py directory   reads ca.pem, leaf.pem and manifest.tsv (file, hash); prints file and verdict, one a line
"""
import datetime
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
SLACK = datetime.timedelta(minutes=5)
now = datetime.datetime.utcnow()
directory = sys.argv[1]


def read(name):
    with open(f"{directory}/{name}", "rb") as file:
        return file.read()


ca = x509.load_pem_x509_certificate(read("ca.pem"))
leaf = x509.load_pem_x509_certificate(read("leaf.pem"))


def key_hash(certificate):
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def is_denoted(response, certificate):
    return certificate.subject == response.responder_name if response.responder_name is not None else key_hash(certificate) == response.responder_key_hash


def find_signer(response):
    if is_denoted(response, ca):
        return ca
    for certificate in response.certificates:
        if is_denoted(response, certificate) and certificate.issuer == ca.subject:
            ca.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(certificate.signature_hash_algorithm))
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            if x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING in usage and certificate.not_valid_before <= now <= certificate.not_valid_after:
                return certificate
    raise ValueError("nobody may have signed")


def judge(encoded, hash_name):
    response = ocsp.load_der_ocsp_response(encoded)
    if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        return "refused"
    find_signer(response).public_key().verify(response.signature, response.tbs_response_bytes, ec.ECDSA(response.signature_hash_algorithm))
    wanted = ocsp.OCSPRequestBuilder().add_certificate(leaf, ca, HASHES[hash_name]()).build()
    for single in response.responses:
        if (single.serial_number, single.issuer_name_hash, single.issuer_key_hash, single.hash_algorithm.name) != (
                wanted.serial_number, wanted.issuer_name_hash, wanted.issuer_key_hash, wanted.hash_algorithm.name):
            continue
        if single.this_update > now + SLACK or (single.next_update is not None and single.next_update < now - SLACK):
            return "refused"
        return single.certificate_status.name.lower()
    return "refused"


for line in read("manifest.tsv").decode().splitlines():
    file, hash_name = line.split("\t")
    try:
        verdict = judge(read(file), hash_name)
    except Exception as error:  # whatever it raises is a refusal; a crash of the interpreter is not
        verdict = "refused"
    print(f"{file}\t{verdict}")
