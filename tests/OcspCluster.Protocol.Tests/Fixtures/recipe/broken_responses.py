"""One response per broken rule, signed as it stands, and the values of response extensions that are not what they should be."""

from recipe import der
from recipe.broken import JUNK_CERTIFICATE, bad_bits, bad_nonces, bad_oids, everywhere, full_request, full_response, lengths, nested
from recipe.der import Node, Raw, ctx, enumerated, integer, null, octets, oid, seq, time
from recipe.ocsp import *
from recipe.signing import Signer
from recipe.valid import ia5


def bad_times():
    """Forms that X.690 section 11.7 or RFC 5280 section 4.1.2.5.2 forbids, and times that do not exist."""
    return {
        "no-seconds": "202603011200Z", "no-minutes": "2026030112Z", "fraction": "20260301120000.5Z", "fraction-zero": "20260301120000.0Z", "fraction-comma": "20260301120000,5Z",
        "fraction-of-minute": "202603011200.5Z", "fraction-of-hour": "2026030112.555Z", "offset-zero": "20260301120000+0000", "offset": "20260301120000-0500",
        "local": "20260301120000", "lower-case-z": "20260301120000z", "hour-24": "20260301240000Z", "hour-25": "20260301250000Z", "minute-60": "20260301126000Z",
        "second-60": "20261231235960Z", "month-13": "20261301120000Z", "month-00": "20260001120000Z", "day-00": "20260300120000Z", "day-31-april": "20260431120000Z",
        "29-february-2026": "20260229120000Z", "29-february-2100": "21000229120000Z", "year-0000": "00000101120000Z", "letters": "2026030112000OZ", "minus": "-0260301120000Z", "blank": "20260301 12000Z",
        "plus-inside": "+2026301120000Z", "empty": "", "utctime-content": "260301120000Z", "nul-after": "20260301120000Z\0",
    }


def responses(pki):
    ca, signer = pki.ca, Signer(pki.keys["responder-p256"])
    full = full_response(pki)
    single = TBS + ".responses.single"

    def plain():
        return response(response_data(by_key(pki.certs["responder-p256"]), [single_response(cert_id(ca, 0x1001), good())]), signer, [pki.der("responder-p256")])

    def again(tree):
        return resigned(tree, signer)

    def at(path, change, tree=full):
        changed = tree.changed(path, change)
        return again(changed) if path.startswith(TBS) else changed

    def body(value):
        return lambda node: setattr(node, "body", value)

    def signed(*singles, **kwargs):
        return response(response_data(kwargs.pop("responder", by_key(pki.certs["responder-p256"])), singles, **kwargs), signer)

    # Outside tbsResponseData nothing is signed again: the signature itself may be what is broken.
    yield from everywhere(full, lambda tree: tree)
    yield "d1-empty", "D1", "No octet at all.", b"", "MalformedDer"
    yield "d1-html", "D1", "An error page.", b"<html>503 Service Unavailable</html>", "MalformedDer"
    yield "d1-ocsp-request", "D1", "An OCSPRequest.", full_request(pki), "MalformedDer"
    yield "d1-certificate", "D1", "A certificate.", pki.der("ca-rsa"), "MalformedDer"
    yield "d1-empty-sequence", "D1", "An empty SEQUENCE.", b"\x30\x00", "MalformedDer"
    encoded = plain().encode()
    yield "d2-trailing-octet", "D2", "An octet after the message.", encoded + b"\0", "TrailingData"
    yield "d2-trailing-after-error", "D2", "An octet after an error.", b"\x30\x03\x0a\x01\x01\0", "TrailingData"
    yield "d2-second-message", "D2", "The message twice.", encoded + encoded, "TrailingData"
    yield "d2-trailing-octet-in-good", "D2", "good with content.", at(single + ".certStatus", lambda n: (setattr(n, "tag", b"\x80"), setattr(n, "body", b"\0"))), "MalformedDer"
    yield "d2-trailing-octet-in-unknown", "D2", "unknown with content.", at(single + ".certStatus", lambda n: (setattr(n, "tag", b"\x82"), setattr(n, "body", b"\0"))), "MalformedDer"
    yield "d2-unknown-field-single", "D2", "A field [2] after singleExtensions.", at(single, lambda n: n.body.append(ctx("x", 2, null()))), "TrailingData"
    yield "d2-unknown-field-tbsResponseData", "D2", "A field [2] after responseExtensions.", at(TBS, lambda n: n.body.append(ctx("x", 2, null()))), "TrailingData"
    yield "d2-unknown-field-BasicOCSPResponse", "D2", "A field [1] after certs.", at(BASIC_PATH, lambda n: n.body.append(ctx("x", 1, null()))), "TrailingData"
    yield from lengths(plain(), single + ".certID", lambda tree: tree)
    yield "d7-nested-sequences", "D7", "3,000 SEQUENCEs in one another.", nested(3000), "MalformedDer"
    for name, content in {"empty": b"", "leading-00": b"\0\x01", "leading-ff": b"\xff\x80"}.items():
        yield f"d8-serial-{name}", "D8", f"serialNumber: {name}.", at(single + ".certID.serialNumber", body(content)), "InvalidSerialNumber"
        yield f"d8-version-{name}", "D8", f"version: {name}.", at(TBS + ".version.v", body(content)), "MalformedDer"
    for name, content in {"01": b"\x01", "empty": b"", "two-octets": b"\xff\xff"}.items():
        yield f"d9-boolean-{name}", "D9", f"critical is a BOOLEAN with content {content.hex() or 'nothing'}.", at(single + ".singleExtensions.extensions.unknown.critical", body(content)), "MalformedDer"
    for name, content in bad_oids().items():
        yield f"d10-responseType-{name}", "D10", f"responseType: {name}.", at("responseBytes.ResponseBytes.responseType", body(content)), "MalformedDer"
        yield f"d10-signatureAlgorithm-{name}", "D10", f"signatureAlgorithm: {name}.", at(BASIC_PATH + ".signatureAlgorithm.algorithm", body(content)), "MalformedDer"
    for name, content in bad_bits().items():
        yield f"d11-signature-{name}", "D11", f"signature: {name}.", at(BASIC_PATH + ".signature", body(content)), "MalformedDer"
    ext = lambda: extension("unknown", UNKNOWN_EXTENSION, null())
    yield "d12-nonce-twice", "D12", "Two nonces.", signed(single_response(cert_id(ca, 0x1001), good()), exts=[nonce(), nonce()]), "DuplicateExtension"
    yield "d12-extension-twice", "D12", "An unknown extension twice.", signed(single_response(cert_id(ca, 0x1001), good()), exts=[ext(), ext()]), "DuplicateExtension"
    yield "d12-single-extension-twice", "D12", "An unknown single extension twice.", signed(single_response(cert_id(ca, 0x1001), good(), exts=[ext(), ext()])), "DuplicateExtension"
    yield "d13-empty-responseExtensions", "D13", "responseExtensions with no element.", at(TBS + ".responseExtensions.extensions", body([])), "EmptyExtensions"
    yield "d13-empty-singleExtensions", "D13", "singleExtensions with no element.", at(single + ".singleExtensions.extensions", body([])), "EmptyExtensions"
    for name, rule, value in bad_nonces():
        yield f"{rule.lower()}-nonce-{name}", rule, f"nonce: {name}.", signed(single_response(cert_id(ca, 0x1001), good()), exts=[extension("nonce_", NONCE, value)]), "InvalidNonce"
    for name, text in bad_times().items():
        yield f"d15-producedAt-{name}", "D15", f"producedAt: {name}.", at(TBS + ".producedAt", body(text.encode())), "InvalidTime"
    for field in ("thisUpdate", "nextUpdate.time", "certStatus.revocationTime"):
        for name in ("fraction", "offset-zero", "no-seconds", "fraction-of-minute", "29-february-2026"):
            yield f"d15-{field.split('.')[-1] if field != 'nextUpdate.time' else 'nextUpdate'}-{name}", "D15", f"{field}: {name}.", at(f"{single}.{field}", body(bad_times()[name].encode())), "InvalidTime"
    yield "d16-utctime-producedAt", "D16", "producedAt is a UTCTime.", at(TBS + ".producedAt", lambda n: (setattr(n, "tag", b"\x17"), setattr(n, "body", b"260301120000Z"))), "MalformedDer"
    yield "d16-utctime-thisUpdate", "D16", "thisUpdate is a UTCTime.", at(single + ".thisUpdate", lambda n: (setattr(n, "tag", b"\x17"), setattr(n, "body", b"260301120000Z"))), "MalformedDer"
    for name, content, outcome in (("4", b"\x04", "InvalidStatus"), ("7", b"\x07", "InvalidStatus"), ("127", b"\x7f", "InvalidStatus"), ("minus1", b"\xff", "InvalidStatus"),
                                   ("minus128", b"\x80", "InvalidStatus"), ("two-octets-256", b"\x01\0", "InvalidStatus"), ("two-octets-1", b"\0\x01", "MalformedDer"), ("empty", b"", "MalformedDer")):
        yield f"d17-status-{name}", "D17", f"responseStatus: {name}.", seq("OCSPResponse", enumerated("responseStatus", content)), outcome
    yield "d17-status-integer", "D17", "responseStatus is an INTEGER.", b"\x30\x03\x02\x01\x01", "MalformedDer"
    for name, content, outcome in (("7", b"\x07", "InvalidReason"), ("11", b"\x0b", "InvalidReason"), ("127", b"\x7f", "InvalidReason"), ("minus1", b"\xff", "InvalidReason"),
                                   ("two-octets-257", b"\x01\x01", "InvalidReason"), ("two-octets-1", b"\0\x01", "MalformedDer"), ("empty", b"", "MalformedDer")):
        yield f"d17-reason-{name}", "D17", f"CRLReason: {name}.", at(single + ".certStatus.revocationReason.reason", body(content)), outcome
    for size in (0, 19, 21, 32):
        yield f"d18-keyhash-{size}", "D18", f"KeyHash of {size} octets.", signed(single_response(cert_id(ca, 0x1001), good()), responder=ctx("responderID", 2, octets("KeyHash", bytes(size)))), "InvalidResponderId"
    yield "d18-responderID-implicit", "D18", "byKey with an IMPLICIT tag.", signed(single_response(cert_id(ca, 0x1001), good()), responder=Node("responderID", 0x82, bytes(20))), "MalformedDer"
    yield "d18-responderID-3", "D18", "ResponderID of a third form.", signed(single_response(cert_id(ca, 0x1001), good()), responder=ctx("responderID", 3, octets("x", bytes(20)))), "MalformedDer"
    for hash_name in ("sha1", "sha256"):
        for field in ("issuerNameHash", "issuerKeyHash"):
            broken = single_response(cert_id(ca, 0x1001, hash_name), good()).changed(f"certID.{field}", lambda n: setattr(n, "body", n.body[:-1]))
            yield f"d18-{hash_name}-{field}-short", "D18", f"{field} is short for {hash_name}.", signed(broken), "HashLengthMismatch"
    yield "d18-successful-without-responseBytes", "D18", "successful and nothing else.", b"\x30\x03\x0a\x01\x00", "InconsistentStatus"
    for status in (1, 2, 3, 5, 6):
        yield f"d18-error-{status}-with-responseBytes", "D18", f"Status {status} with responseBytes.", at("responseStatus", body(bytes([status]))), "InconsistentStatus"
    yield "d18-empty-responses", "D18", "responses has no element.", at(TBS + ".responses", body([])), "EmptyResponses"
    yield "d18-empty-responseBytes", "D18", "responseBytes [0] with nothing inside.", at("responseBytes", body([])), "MalformedDer"
    yield "d18-empty-response", "D18", "response is an empty OCTET STRING.", at("responseBytes.ResponseBytes.response", body(b"")), "MalformedDer"
    yield "c8-responseType-other", "C8", "A response type other than basic.", at("responseBytes.ResponseBytes.responseType", body(oid("", "1.3.6.1.5.5.7.48.1.99").body)), "UnsupportedResponseType"
    yield "c8-version-v2", "C8", "version v2.", at(TBS + ".version.v", body(b"\x01")), "UnsupportedVersion"
    yield "r16-parameters-octet-string", "R16", "hashAlgorithm parameters that are no NULL.", at(single + ".certID.hashAlgorithm", lambda n: n.body.__setitem__(1, octets("p", b""))), "UnsupportedParameters"
    yield "d19-17-certificates", "D19", "17 certificates, with a cap of 16.", response(response_data(by_key(ca), [single_response(cert_id(ca, 0x1001), good())]), signer, [JUNK_CERTIFICATE] * 17), "MalformedDer"
    yield "d6-certStatus-3", "D6", "CertStatus of a fourth form.", at(single + ".certStatus", lambda n: setattr(n, "tag", b"\xa3")), "MalformedDer"
    yield "d6-good-constructed", "D6", "good as a constructed NULL.", at(single + ".certStatus", lambda n: (setattr(n, "tag", b"\xa0"), setattr(n, "body", []))), "MalformedDer"
    yield "d6-revoked-primitive", "D6", "revoked with a primitive tag.", at(single + ".certStatus", lambda n: setattr(n, "tag", b"\x81")), "MalformedDer"


def extension_values(pki):
    """Responses that are read, while the named extension of their SingleResponse is not what its definition says."""
    ca, signer = pki.ca, Signer(pki.keys["responder-p256"])

    def row(name, rule, dotted, value):
        tbs = response_data(by_key(pki.certs["responder-p256"]), [single_response(cert_id(ca, 0x1001), good(), exts=[extension("x", dotted, value)])])
        return name, rule, f"{name}.", response(tbs, signer), dotted

    url, number, at = ia5("url", "http://crl.example/"), integer("num", 1), time("time", "20260228000000Z")
    yield row("crl-id-not-a-sequence", "R59", CRL_ID, null())
    yield row("crl-id-empty-value", "R59", CRL_ID, b"")
    yield row("crl-id-trailing", "D2", CRL_ID, seq("CrlID", ctx("crlTime", 2, at), null()))
    yield row("crl-id-junk-after", "D2", CRL_ID, seq("CrlID").encode() + b"\0")
    yield row("crl-id-out-of-order", "R59", CRL_ID, seq("CrlID", ctx("crlNum", 1, number), ctx("crlUrl", 0, url)))
    yield row("crl-id-implicit-url", "R52", CRL_ID, seq("CrlID", Node("crlUrl", 0x80, b"http://crl.example/")))
    yield row("crl-id-url-not-ascii", "R59", CRL_ID, seq("CrlID", ctx("crlUrl", 0, Node("url", 0x16, b"\xff"))))
    yield row("crl-id-url-utf8string", "R59", CRL_ID, seq("CrlID", ctx("crlUrl", 0, Node("url", 0x0C, b"http://crl.example/"))))
    yield row("crl-id-number-not-minimal", "D8", CRL_ID, seq("CrlID", ctx("crlNum", 1, integer("num", b"\0\x01"))))
    yield row("crl-id-number-empty", "D8", CRL_ID, seq("CrlID", ctx("crlNum", 1, integer("num", b""))))
    yield row("crl-id-two-urls", "D2", CRL_ID, seq("CrlID", ctx("crlUrl", 0, url, url)))
    for name in ("fraction", "no-seconds", "offset", "29-february-2026"):
        text = bad_times()[name]
        yield row(f"crl-id-time-{name}", "D15", CRL_ID, seq("CrlID", ctx("crlTime", 2, time("time", text))))
        yield row(f"archive-cutoff-{name}", "D15", ARCHIVE_CUTOFF, time("t", text))
        yield row(f"invalidity-date-{name}", "D15", INVALIDITY_DATE, time("t", text))
    yield row("archive-cutoff-utctime", "D16", ARCHIVE_CUTOFF, Node("t", 0x17, b"260301120000Z"))
    yield row("archive-cutoff-trailing", "D2", ARCHIVE_CUTOFF, time("t", PRODUCED).encode() + b"\x05\0")
    yield row("invalidity-date-empty", "D15", INVALIDITY_DATE, b"")
    for name, content in {"7": b"\x07", "11": b"\x0b", "empty": b"", "two-octets": b"\x01\x01"}.items():
        yield row(f"crl-reason-{name}", "D17", REASON, enumerated("r", content))
    yield row("crl-reason-integer", "D17", REASON, integer("r", 1))
    yield row("certificate-issuer-empty", "R45", CERTIFICATE_ISSUER, seq("GeneralNames"))
    yield row("certificate-issuer-not-a-name", "R45", CERTIFICATE_ISSUER, seq("GeneralNames", null()))
    yield row("certificate-issuer-name-directly", "R45", CERTIFICATE_ISSUER, Raw("n", ca.subject.public_bytes()))
    yield row("extended-revoke-not-null", "R42", EXTENDED_REVOKE, integer("i", 1))
    yield row("extended-revoke-empty", "R42", EXTENDED_REVOKE, b"")
    yield row("extended-revoke-null-with-content", "R42", EXTENDED_REVOKE, b"\x05\x01\0")
    yield row("service-locator-without-issuer", "R34", SERVICE_LOCATOR, seq("ServiceLocator"))
    yield row("service-locator-not-a-name", "R34", SERVICE_LOCATOR, seq("ServiceLocator", null()))
