"""A sample of every structure of RFC 6960, and what a reader finds in it."""

from recipe.der import Node, Raw, ctx, enumerated, integer, null, octets, oid, seq, time, wrapped
from recipe.ocsp import *
from recipe.signing import RSA, ECDSA, Signer

AIA = seq("locator", seq("access", oid("accessMethod", "1.3.6.1.5.5.7.48.1"), Node("accessLocation", 0x86, b"http://ocsp.example/")))


def ia5(name, text):
    return Node(name, 0x16, text.encode())


def general_names(ca):
    return {
        "otherName": ctx("otherName", 0, oid("type-id", "1.3.6.1.4.1.311.20.2.3"), ctx("value", 0, Node("upn", 0x0C, b"who@example"))),
        "rfc822Name": Node("rfc822Name", 0x81, b"who@example"),
        "dNSName": Node("dNSName", 0x82, b"client.example"),
        "x400Address": ctx("x400Address", 3, seq("built-in-standard-attributes")),
        "directoryName": ctx("directoryName", 4, Raw("name", ca.subject.public_bytes())),
        "directoryName-empty": ctx("directoryName", 4, seq("name")),
        "ediPartyName": ctx("ediPartyName", 5, ctx("partyName", 1, Node("text", 0x0C, b"party"))),
        "uniformResourceIdentifier": Node("uniformResourceIdentifier", 0x86, b"https://client.example/"),
        "iPAddress": Node("iPAddress", 0x87, bytes([192, 0, 2, 1])),
        "iPAddress-v6": Node("iPAddress", 0x87, bytes.fromhex("20010db8") + bytes(11) + b"\x01"),
        "registeredID": Node("registeredID", 0x88, oid("", "1.3.6.1.4.1.99999.2").body),
    }


def preferred():
    def algorithm(dotted, *parameters):
        return seq("sigIdentifier", oid("algorithm", dotted), *parameters)
    return seq("PreferredSignatureAlgorithms", seq("preferred0", algorithm(ECDSA["sha256"])),
               seq("preferred1", algorithm(RSA["sha256"], null()), seq("certIdentifier", oid("algorithm", "1.2.840.113549.1.1.1"), null())))


def requests(pki):
    ca = pki.ca
    one = lambda **k: single_request(cert_id(ca, 0x1001, **k))

    def row(name, rule, text, singles=None, *args, **kwargs):
        return name, rule, text, request(singles or [one()], *args, **kwargs)

    yield row("one", "R1", "One CertID and nothing else.")
    yield row("many", "R8", "Five CertIDs of one issuer.", [single_request(cert_id(ca, 0x1001 + i), name=f"request{i}") for i in range(5)])
    yield row("many-hashes", "R9", "The same certificate under SHA-1 and SHA-256.", [one(), one(hash_name="sha256")])
    yield row("duplicate-certid", "R9", "The same CertID twice.", [one(), one()])
    for hash_name in ("sha1", "sha224", "sha256", "sha384", "sha512"):
        for parameters in ("null", "absent"):
            yield row(f"{hash_name}-{parameters}", "R16", f"CertID under {hash_name} with {parameters} parameters.", [one(hash_name=hash_name, parameters=parameters)])
    for name, serial in {"0": 0, "minus1": -1, "minus129": -129, "127": 127, "128": 128, "255": 255, "20-octets": bytes.fromhex("7A6B5C4D3E2F1001A2B3C4D5E6F708192A3B4C5D"),
                         "21-octets": b"\0" + b"\xff" * 20, "200-octets": b"\x7f" * 200}.items():
        yield row(f"serial-{name}", "R18", f"Serial number {name}.", [single_request(cert_id(ca, serial))])
    unknown_hash = cert_id(ca, 0x1001)
    unknown_hash.find("hashAlgorithm.algorithm").body = oid("", "1.3.6.1.4.1.99999.3").body
    unknown_hash.find("issuerNameHash").body = unknown_hash.find("issuerKeyHash").body = b"\x01\x02\x03"
    unknown_hash.facts |= {"hashAlgorithm": "1.3.6.1.4.1.99999.3", "issuerNameHash": "010203", "issuerKeyHash": "010203"}
    yield row("hash-unknown", "R17", "A hash algorithm that nobody knows, with hashes of any length.", [single_request(unknown_hash)])
    yield row("version-explicit", "R2", "Version v1 written out, as Botan does.", None, version=True)
    for size in (1, 15, 16, 23, 32, 33, 127, 128):
        yield row(f"nonce-{size}", "R24" if 16 <= size <= 32 else "R25", f"A nonce of {size} octets.", None, [nonce(bytes(range(size)))])
    yield row("nonce-critical", "R22", "A nonce marked critical.", None, [nonce(critical=True)])
    yield row("nonce-in-single-request", "R29", "A nonce OID in singleRequestExtensions is no nonce.",
              [single_request(cert_id(ca, 0x1001), extension("single", NONCE, octets("Nonce", b"\x01\x02")))])
    yield row("acceptable-responses", "R30", "AcceptableResponses with basic.", None, [extension("acceptable", ACCEPTABLE, seq("AcceptableResponses", oid("type", BASIC)))])
    yield row("acceptable-responses-other", "R31", "AcceptableResponses without basic.", None,
              [extension("acceptable", ACCEPTABLE, seq("AcceptableResponses", oid("type", "1.3.6.1.4.1.99999.4")))])
    yield row("acceptable-responses-empty", "R30", "AcceptableResponses with no type: SEQUENCE OF has no lower bound.", None, [extension("acceptable", ACCEPTABLE, seq("AcceptableResponses"))])
    yield row("preferred-signature-algorithms", "R32", "ECDSA with SHA-256, then RSA with SHA-256 by an RSA key.", None, [extension("preferred", PREFERRED, preferred())])
    yield row("preferred-signature-algorithms-critical", "R22", "PreferredSignatureAlgorithms marked critical.", None, [extension("preferred", PREFERRED, preferred(), True)])
    locator = lambda *more: extension("locator", SERVICE_LOCATOR, seq("ServiceLocator", Raw("issuer", ca.subject.public_bytes()), *more))
    yield row("service-locator", "R34", "A ServiceLocator in singleRequestExtensions.", [single_request(cert_id(ca, 0x1001), locator(AIA))])
    yield row("service-locator-without-locator", "R34", "A ServiceLocator with the issuer only.", [single_request(cert_id(ca, 0x1001), locator())])
    for critical, rule in ((False, "R20"), (True, "R21")):
        suffix = "-critical" if critical else ""
        ext = extension("unknown", UNKNOWN_EXTENSION, null(), critical)
        yield row(f"extension-unknown{suffix}", rule, "An unknown request extension: the reader keeps it, policy judges it.", None, [ext])
        yield row(f"single-extension-unknown{suffix}", rule, "An unknown single extension: the reader keeps it, policy judges it.", [single_request(cert_id(ca, 0x1001), ext)])
    yield row("extension-value-empty", "R20", "An unknown extension with an empty extnValue.", None, [extension("unknown", UNKNOWN_EXTENSION, b"")])
    yield row("extension-value-not-der", "R20", "An unknown extension whose value is not DER is not looked into.", None, [extension("unknown", UNKNOWN_EXTENSION, b"\xff\xff\xff")])
    yield row("all-extensions", "R23", "Every extension at once.", [single_request(cert_id(ca, 0x1001), locator(AIA))],
              [nonce(), extension("acceptable", ACCEPTABLE, seq("AcceptableResponses", oid("type", BASIC))), extension("preferred", PREFERRED, preferred())])
    for form, name in general_names(ca).items():
        yield row(f"requestor-{form}", "R3", f"requestorName is a {form}.", None, requestor=name)
    who = general_names(ca)["directoryName"]
    for kind in ("rsa", "p256"):
        signer = Signer(pki.keys[f"requestor-{kind}"])
        yield row(f"signed-{kind}", "R4", f"Signed ({kind}) with the signer's certificate.", None, [nonce()], requestor=who, signer=signer, certs=[pki.der(f"requestor-{kind}")])
        yield row(f"signed-{kind}-chain", "R4", f"Signed ({kind}) with two certificates.", None, requestor=who, signer=signer, certs=[pki.der(f"requestor-{kind}"), pki.der("ca-rsa")])
    yield row("signed-without-certs", "R4", "Signed, no certificates.", None, requestor=who, signer=Signer(pki.keys["requestor-rsa"]))
    junk = request([one()], requestor=who, signer=Signer(pki.keys["requestor-p256"]), certs=[b"\x30\x03\x02\x01\x05"])
    yield "signed-junk-certificate", "R4", "Signed, beside it a SEQUENCE that is no certificate: not looked into.", junk
    odd = request([one()], requestor=who, signer=Signer(pki.keys["requestor-p256"])).changed(
        "optionalSignature.Signature.signatureAlgorithm.algorithm", lambda n: setattr(n, "body", oid("", "1.3.6.1.4.1.99999.5").body))
    odd.facts["signatureAlgorithm"] = "1.3.6.1.4.1.99999.5"
    yield "signed-unknown-algorithm", "R4", "Signed with an algorithm that nobody knows.", odd


def responses(pki):
    ca, rsa, p256 = pki.ca, pki.certs["responder-rsa"], pki.certs["responder-p256"]
    fast = Signer(pki.keys["responder-p256"])
    plain = lambda **k: single_response(cert_id(ca, 0x1001), good(), **k)

    def row(name, rule, text, singles=None, signer=fast, responder=None, certs=("responder-p256",), **kwargs):
        tbs = response_data(responder or by_key(p256), singles or [plain()], **kwargs)
        tree = response(tbs, signer, [pki.der(c) for c in certs])
        return name, rule, text, tree

    for value, name in {1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}.items():
        tree = seq("OCSPResponse", enumerated("responseStatus", value))
        tree.facts = {"status": value}
        yield f"status-{name}", "R36", f"{name}: five octets.", tree
    yield row("good", "R37", "One SingleResponse, good.")
    yield row("unknown", "R37", "One SingleResponse, unknown.", [single_response(cert_id(ca, 0x1001), unknown())])
    yield row("revoked", "R37", "Revoked, no reason.", [single_response(cert_id(ca, 0x1001), revoked())])
    for reason in (0, 1, 2, 3, 4, 5, 6, 8, 9, 10):
        yield row(f"revoked-reason-{reason}", "R43", f"Revoked with CRLReason {reason}.", [single_response(cert_id(ca, 0x1001), revoked(reason=reason))])
    yield row("no-next-update", "R49", "No nextUpdate.", [plain(next_=None)])
    yield row("many", "R8", "Good, revoked and unknown in one answer.", [
        single_response(cert_id(ca, 0x1001), good(), name="single0"), single_response(cert_id(ca, 0x1002), revoked(reason=1), name="single1"),
        single_response(cert_id(ca, 0x1003), unknown(), next_=None, name="single2")])
    for hash_name in ("sha224", "sha256", "sha384", "sha512"):
        yield row(f"certid-{hash_name}", "R14", f"CertID under {hash_name}, parameters absent.", [single_response(cert_id(ca, 0x1001, hash_name, "absent"), good())])
    yield row("by-name", "R50", "ResponderID byName.", responder=by_name(p256))
    yield row("ca-direct", "R53", "Signed by the CA itself, no certificates.", signer=Signer(pki.keys["ca-rsa"]), responder=by_key(ca), certs=())
    yield row("certs-two", "R53", "Two certificates.", certs=("responder-p256", "ca-rsa"))
    yield row("version-explicit", "R52", "Version v1 written out.", version=True)
    yield row("nonce", "R23", "responseExtensions with a nonce.", exts=[nonce()])
    yield row("nonce-128", "R25", "A nonce of 128 octets.", exts=[nonce(bytes(range(128)))])
    yield row("extended-revoke", "R42", "Extended revoke for a serial that was never issued.",
              [single_response(cert_id(ca, 0x9999), revoked("19700101000000Z", 6))], exts=[extension("extendedRevoke", EXTENDED_REVOKE, null())])
    for name, rule, ext in single_extensions(ca):
        yield row(f"single-extension-{name}", rule, f"singleExtensions with {name}.", [plain(exts=[ext])])
    yield row("single-extensions-several", "R59", "CrlID, archive cutoff and invalidity date together.", [plain(exts=[e for n, _, e in single_extensions(ca) if n in ("crl-id", "archive-cutoff", "invalidity-date")])])
    for critical in (False, True):
        suffix = "-critical" if critical else ""
        ext = extension("unknown", UNKNOWN_EXTENSION, null(), critical)
        yield row(f"extension-unknown{suffix}", "C23", "An unknown response extension: the reader keeps it, a verifier judges it.", exts=[ext])
        yield row(f"single-extension-unknown{suffix}", "C23", "An unknown single extension: the reader keeps it, a verifier judges it.", [plain(exts=[ext])])
    yield row("time-leap-day", "D15", "29 February of a leap year is a day.", [plain(this="20240229235959Z", next_="20280229000000Z")])
    yield row("time-first-last", "D15", "The last second of the year 9999.", [plain(this="19500101000000Z", next_="99991231235959Z")])
    yield row("next-before-this", "C19", "nextUpdate before thisUpdate: syntax is fine, a verifier judges it.", [plain(this=NEXT, next_=THIS)])
    for kind, hash_name in (("rsa", "sha256"), ("rsa", "sha384"), ("rsa", "sha512"), ("p256", "sha256"), ("p384", "sha384"), ("p521", "sha512"), ("dsa", "sha256"), ("ed25519", "sha256")):
        name = kind if kind == "ed25519" else f"{kind}-{hash_name}"
        yield row(f"signed-{name}", "R54", f"Signed with {name}.", signer=Signer(pki.keys[f"responder-{kind}"], hash_name), responder=by_key(pki.certs[f"responder-{kind}"]), certs=(f"responder-{kind}",))
    for hash_name in ("sha256", "sha384", "sha512"):
        yield row(f"signed-pss-{hash_name}", "R54", f"Signed with RSASSA-PSS and {hash_name}.", signer=Signer(pki.keys["responder-rsa"], hash_name, pss=True), responder=by_key(rsa), certs=("responder-rsa",))
    yield row("signed-rsa-sha1", "C18", "Signed with RSA and SHA-1: readable, for a verifier to refuse.", signer=Signer(pki.keys["responder-rsa"], "sha1"), responder=by_key(rsa), certs=("responder-rsa",))


def single_extensions(ca):
    url, number, at = ctx("crlUrl", 0, ia5("url", "http://crl.example/ca.crl")), ctx("crlNum", 1, integer("num", 0xFF01)), ctx("crlTime", 2, time("time", "20260228000000Z"))
    yield "crl-id", "R59", extension("crlId", CRL_ID, seq("CrlID", url, number, at))
    yield "crl-id-url", "R59", extension("crlId", CRL_ID, seq("CrlID", url))
    yield "crl-id-number", "R59", extension("crlId", CRL_ID, seq("CrlID", number))
    yield "crl-id-time", "R59", extension("crlId", CRL_ID, seq("CrlID", at))
    yield "crl-id-empty", "R59", extension("crlId", CRL_ID, seq("CrlID"))
    yield "archive-cutoff", "R59", extension("archiveCutoff", ARCHIVE_CUTOFF, time("ArchiveCutoff", "20190301120000Z"))
    yield "invalidity-date", "R45", extension("invalidityDate", INVALIDITY_DATE, time("InvalidityDate", "20260201000000Z"))
    yield "crl-reason", "R45", extension("reasonCode", REASON, enumerated("CRLReason", 1))
    yield "certificate-issuer", "R45", extension("certificateIssuer", CERTIFICATE_ISSUER, seq("GeneralNames", general_names(ca)["directoryName"]), True)


def false_written_out(pki):
    """critical FALSE written out (X.690 section 11.5 forbids it), in both directions."""
    def ext():
        node = extension("unknown", UNKNOWN_EXTENSION, null())
        node.body.insert(1, Node("critical", 0x01, b"\0"))
        return node

    data = response_data(by_key(pki.certs["responder-p256"]), [single_response(cert_id(pki.ca, 0x1001), good(), exts=[ext()])])
    return {"request": request([single_request(cert_id(pki.ca, 0x1001), ext())], [ext()]),
            "response": response(data, Signer(pki.keys["responder-p256"]))}
