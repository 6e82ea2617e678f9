"""Trees of OCSPRequest and OCSPResponse (RFC 6960 sections 4.1.1, 4.2.1), and the facts that a reader should find in them."""

import hashlib

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from recipe.der import Node, Raw, bits, ctx, enumerated, integer, integer_content, null, octets, oid, seq, time, true, wrapped
from recipe.signing import SHA

BASIC, NONCE, CRL_ID = "1.3.6.1.5.5.7.48.1.1", "1.3.6.1.5.5.7.48.1.2", "1.3.6.1.5.5.7.48.1.3"
ACCEPTABLE, ARCHIVE_CUTOFF, SERVICE_LOCATOR = "1.3.6.1.5.5.7.48.1.4", "1.3.6.1.5.5.7.48.1.6", "1.3.6.1.5.5.7.48.1.7"
PREFERRED, EXTENDED_REVOKE = "1.3.6.1.5.5.7.48.1.8", "1.3.6.1.5.5.7.48.1.9"
REASON, INVALIDITY_DATE, CERTIFICATE_ISSUER = "2.5.29.21", "2.5.29.24", "2.5.29.29"
UNKNOWN_EXTENSION = "1.3.6.1.4.1.99999.1"

PRODUCED, THIS, NEXT, REVOKED = "20260301120000Z", "20260301110000Z", "20260308110000Z", "20260215083000Z"


def key_bits(certificate):
    """The content of the public key's BIT STRING: what follows SubjectPublicKeyInfo's algorithm."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def split(data):
        size, start = data[1], 2
        if size & 0x80:
            start, size = 2 + (size & 0x7F), int.from_bytes(data[2:2 + (size & 0x7F)], "big")
        return data[start:start + size], data[start + size:]

    inside, _ = split(spki)
    _, after_algorithm = split(inside)
    bit_string, _ = split(after_algorithm)
    return bit_string[1:]


def cert_id(issuer, serial, hash_name="sha1", parameters="null", name="reqCert"):
    name_hash = hashlib.new(hash_name, issuer.subject.public_bytes()).digest()
    key_hash = hashlib.new(hash_name, key_bits(issuer)).digest()
    algorithm = seq("hashAlgorithm", oid("algorithm", SHA[hash_name]), *([null("parameters")] if parameters == "null" else []))
    content = serial if isinstance(serial, bytes) else integer_content(serial)
    node = seq(name, algorithm, octets("issuerNameHash", name_hash), octets("issuerKeyHash", key_hash), integer("serialNumber", content))
    node.facts = {"hashAlgorithm": SHA[hash_name], "parameters": parameters, "issuerNameHash": name_hash.hex(),
                  "issuerKeyHash": key_hash.hex(), "serialNumber": content.hex()}
    return node


def extension(name, dotted, value, critical=False):
    """value: the node inside extnValue, or its raw octets."""
    inside = octets("extnValue", value) if isinstance(value, bytes) else wrapped("extnValue", value)
    node = seq(name, oid("extnID", dotted), *([true()] if critical else []), inside)
    node.facts = {"oid": dotted, "critical": critical, "value": inside.content().hex()}
    return node


def nonce(value=bytes(range(32)), critical=False):
    return extension("nonce", NONCE, octets("Nonce", value), critical)


def extensions(name, number, items):
    return [ctx(name, number, seq("extensions", *items))] if items else []


def facts_of(items):
    return [item.facts for item in items]


def nonce_of(items):
    found = [item.find("extnValue.Nonce").body.hex() for item in items if item.name == "nonce"]
    return found[0] if found else None


def single_request(certificate_id, *exts, name="request"):
    node = seq(name, certificate_id, *extensions("singleRequestExtensions", 0, exts))
    node.facts = {**certificate_id.facts, "extensions": facts_of(exts)}
    return node


def request(singles, exts=(), requestor=None, version=False, signer=None, certs=()):
    fields = [ctx("version", 0, integer("v", 0))] if version else []
    fields += [ctx("requestorName", 1, requestor)] if requestor else []
    tbs = seq("tbsRequest", *fields, seq("requestList", *singles), *extensions("requestExtensions", 2, exts))
    tree = seq("OCSPRequest", tbs)
    if signer:
        tree.body.append(ctx("optionalSignature", 0, seq(
            "Signature", signer.algorithm(), signer.signature(tbs.encode()), *certificates(certs))))
    tree.facts = {"explicitVersion": version, "requestorName": requestor.encode().hex() if requestor else None, "requests": facts_of(singles),
                  "extensions": facts_of(exts), "nonce": nonce_of(exts),
                  "signatureAlgorithm": signer.oid if signer else None, "certificates": len(certs)}
    return tree


def certificates(certs):
    return [ctx("certs", 0, seq("certificates", *(Raw(f"certificate{i}", c) for i, c in enumerate(certs))))] if certs else []


def good():
    return Node("certStatus", 0x80)


def unknown():
    return Node("certStatus", 0x82)


def revoked(at=REVOKED, reason=None):
    return ctx("certStatus", 1, time("revocationTime", at), *([ctx("revocationReason", 0, enumerated("reason", reason))] if reason is not None else []))


def iso(text):
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"


def single_response(certificate_id, status, this=THIS, next_=NEXT, exts=(), name="single"):
    certificate_id.name = "certID"
    node = seq(name, certificate_id, status, time("thisUpdate", this), *([ctx("nextUpdate", 0, time("time", next_))] if next_ else []),
               *extensions("singleExtensions", 1, exts))
    kind = {0x80: "good", 0x82: "unknown"}.get(status.tag[0], "revoked")
    has_reason = kind == "revoked" and len(status.body) > 1
    node.facts = {**certificate_id.facts, "certStatus": kind,
                  "revocationTime": iso(status.find("revocationTime").body.decode()) if kind == "revoked" else None,
                  "reason": status.find("revocationReason.reason").body[0] if has_reason else None,
                  "thisUpdate": iso(this), "nextUpdate": iso(next_) if next_ else None, "extensions": facts_of(exts)}
    return node


def by_name(certificate):
    return ctx("responderID", 1, Raw("name", certificate.subject.public_bytes()))


def by_key(certificate):
    return ctx("responderID", 2, octets("KeyHash", hashlib.sha1(key_bits(certificate)).digest()))


def response_data(responder, singles, exts=(), produced=PRODUCED, version=False):
    fields = [ctx("version", 0, integer("v", 0))] if version else []
    tbs = seq("tbsResponseData", *fields, responder, time("producedAt", produced), seq("responses", *singles), *extensions("responseExtensions", 1, exts))
    responder_value = responder.body[0].content().hex() if isinstance(responder.body, list) else None
    tbs.facts = {"responderId": {"byKey" if responder.tag == b"\xa2" else "byName": responder_value},
                 "producedAt": iso(produced), "responses": facts_of(singles), "extensions": facts_of(exts), "nonce": nonce_of(exts)}
    return tbs


def response(tbs, signer, certs=(), signature=None):
    basic = seq("BasicOCSPResponse", tbs, signer.algorithm(), bits("signature", signature) if signature else signer.signature(tbs.encode()), *certificates(certs))
    tree = seq("OCSPResponse", enumerated("responseStatus", 0),
               ctx("responseBytes", 0, seq("ResponseBytes", oid("responseType", BASIC), wrapped("response", basic))))
    tree.facts = {"status": 0, **tbs.facts, "signatureAlgorithm": signer.oid, "certificates": len(certs)}
    return tree


TBS = "responseBytes.ResponseBytes.response.BasicOCSPResponse.tbsResponseData"
BASIC_PATH = "responseBytes.ResponseBytes.response.BasicOCSPResponse"


def resigned(tree, signer):
    """The tree with a signature over its tbsResponseData as it now is, so that the broken rule is the only one broken."""
    tree.find(BASIC_PATH + ".signature").body = b"\0" + signer.sign(tree.find(TBS).encode())
    return tree
