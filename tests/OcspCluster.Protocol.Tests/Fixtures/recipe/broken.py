"""One message per broken rule (conformance D, R). Every message is valid but for the one thing that its name says."""

from recipe import der
from recipe.der import Node, Raw, bits, ctx, enumerated, integer, null, octets, oid, seq, time, wrapped
from recipe.ocsp import *
from recipe.signing import Signer

JUNK_CERTIFICATE = b"\x30\x03\x02\x01\x05"
TRAILING = b"\x05\x00"
LISTS = ("requestList", "responses", "extensions", "certificates", "name", "rdn", "AcceptableResponses", "PreferredSignatureAlgorithms")
OPTIONAL_LAST = ("requestExtensions", "singleRequestExtensions", "nextUpdate", "singleExtensions", "responseExtensions", "revocationReason", "certs", "optionalSignature")


def full_name(name="name"):
    return seq(name, Node("rdn", 0x31, [seq("attribute", oid("type", "2.5.4.3"), Node("value", 0x0C, b"Who"))]))


def full_request(pki):
    """Every optional field is there. The ANY fields are named 'any': their content is nobody's business."""
    ext = extension("unknown", UNKNOWN_EXTENSION, b"\x05\x00", critical=True)
    return request([single_request(cert_id(pki.ca, 0x1001), ext)],
                   [nonce(), extension("acceptable", ACCEPTABLE, seq("AcceptableResponses", oid("type", BASIC))),
                    extension("preferred", PREFERRED, seq("PreferredSignatureAlgorithms", seq("preferred0", seq("sigIdentifier", oid("algorithm", "1.2.840.10045.4.3.2")))))],
                   ctx("directoryName", 4, full_name()), True, Signer(pki.keys["requestor-p256"]), [JUNK_CERTIFICATE])


def full_response(pki):
    ext = extension("unknown", UNKNOWN_EXTENSION, b"\x05\x00", critical=True)
    tbs = response_data(ctx("responderID", 1, full_name()), [single_response(cert_id(pki.ca, 0x1001), revoked(reason=1), exts=[ext])], [nonce()], version=True)
    return response(tbs, Signer(pki.keys["responder-p256"]), [JUNK_CERTIFICATE])


def short(path):
    """File names without the layers that every response has."""
    return path.removeprefix(BASIC_PATH + ".") if path != BASIC_PATH else "BasicOCSPResponse"


def region(path):
    """What a reader calls whatever is wrong at this place."""
    names = path.split(".")
    if "nonce" in names and "extnValue" in names[:-1]:
        return "InvalidNonce"
    if ("acceptable" in names or "preferred" in names) and "extnValue" in names[:-1]:
        return "InvalidExtension"
    if "optionalSignature" in names[:-1]:
        return "InvalidSignature"
    if "directoryName" in names or "name" in names:
        return "InvalidName"
    return {"serialNumber": "InvalidSerialNumber"}.get(names[-1], "MalformedDer")


def set_form(form):
    return lambda node: setattr(node, "form", form)


def everywhere(tree, resign):
    """D2, D3, D4 and D6 at every level of a message."""
    seen = set()
    for path, node in [("", tree), *tree.walk()]:
        name = short(path) or tree.name
        constructed = isinstance(node.body, list)
        is_any = node.name == "value" or isinstance(node, Raw)
        inside = region(path + ".") if path else "MalformedDer"

        def made(form):
            return resign(tree.changed(path, set_form(form)))

        if constructed and path:
            trailing = "TrailingData" if inside not in ("InvalidNonce", "InvalidExtension") and node.name not in LISTS else inside
            trailing = "InvalidNonce" if node.name == "extnValue" and ".nonce." in path else trailing
            trailing = "InvalidExtension" if node.name == "extnValue" and (".acceptable." in path or ".preferred." in path) else trailing
            extra = TRAILING * 2 if node.name in ("signatureAlgorithm", "sigIdentifier") else TRAILING  # the first NULL is their parameters
            yield f"d2-trailing-in-{name}", "D2", f"A NULL after the last field of {name}.", resign(tree.changed(path, lambda n: n.body.append(Raw("trailing", extra)))), trailing
            if node.tag != b"\x04":
                yield f"d3-indefinite-{name}", "D3", f"Indefinite length at {name}.", made(der.indefinite), length_or_tag(path)
        if node.tag in (b"\x04", b"\x03", b"\x18"):
            yield f"d3-constructed-{name}", "D3", f"{name} in constructed form, two segments.", made(der.constructed_string), region(path)
        yield f"d4-overlong-{name}", "D4", f"One length octet more than needed at {name}.", made(der.overlong), length_or_tag(path) if node.name != "serialNumber" else region(path)
        if not is_any and not (node.name == "parameters" and "hashAlgorithm" not in path):
            yield f"d6-class-{name}", "D6", f"{name} with the tag of another class.", made(der.other_class), "TrailingData" if node.name in OPTIONAL_LAST else wrong_tag(path, node)
            if node.tag not in seen:
                seen.add(node.tag)
                yield f"d6-constructed-bit-{name}", "D6", f"{name} with the constructed bit flipped.", made(der.constructed_bit_flipped), "TrailingData" if node.name in OPTIONAL_LAST else wrong_tag(path, node)
                yield f"d6-multi-byte-tag-{name}", "D6", f"{name} with its tag in high-tag-number form.", made(der.multi_byte_tag), length_or_tag(path)


def length_or_tag(path):
    """A Name or GeneralName whose own tag or length is no DER is not yet a bad name."""
    names = path.split(".")
    is_name = names[-1] == "directoryName" or names[-2:] == ["responderID", "name"]
    return "MalformedDer" if is_name or names[-1] == "serialNumber" else region(path)


def wrong_tag(path, node):
    if node.name == "serialNumber":
        return "MalformedDer"  # not an INTEGER at all
    if node.name == "parameters":
        return "UnsupportedParameters"
    return region(path)


def requests(pki):
    ca = pki.ca
    full = full_request(pki)
    base = request([single_request(cert_id(ca, 0x1001))])
    cert = "tbsRequest.requestList.request.reqCert"

    def at(path, change, tree=base):
        return tree.changed(path, change)

    def body(value):
        return lambda node: setattr(node, "body", value)

    yield from everywhere(full, lambda t: t)
    yield "d1-empty", "D1", "No octet at all.", b"", "MalformedDer"
    yield "d1-one-octet", "D1", "One octet.", b"\x30", "MalformedDer"
    yield "d1-ascii", "D1", "ASCII text.", b"GET / HTTP/1.1\r\n\r\n", "MalformedDer"
    yield "d1-pem", "D1", "A PEM certificate.", (pki.folder / "ca-rsa.cert.pem").read_bytes(), "MalformedDer"
    yield "d1-certificate", "D1", "A certificate.", pki.der("ca-rsa"), "UnsupportedVersion"  # it looks like a request up to its [0] version
    yield "d1-ocsp-response", "D1", "An OCSPResponse.", full_response(pki), "MalformedDer"
    yield "d1-error-response", "D1", "An unsigned OCSPResponse.", b"\x30\x03\x0a\x01\x01", "MalformedDer"
    yield "d1-empty-sequence", "D1", "An empty SEQUENCE.", b"\x30\x00", "MalformedDer"
    encoded = base.encode()
    yield "d2-trailing-octet", "D2", "An octet after the message.", encoded + b"\0", "TrailingData"
    yield "d2-trailing-newline", "D2", "A line feed after the message.", encoded + b"\n", "TrailingData"
    yield "d2-second-message", "D2", "The message twice.", encoded + encoded, "TrailingData"
    yield "d2-unknown-field-OCSPRequest", "D2", "A field [1] after optionalSignature.", at("", lambda n: n.body.append(ctx("x", 1, null()))), "TrailingData"
    yield "d2-unknown-field-tbsRequest", "D2", "A field [3] after requestExtensions.", at("tbsRequest", lambda n: n.body.append(ctx("x", 3, null()))), "TrailingData"
    yield "d2-unknown-field-request", "D2", "A field [1] after singleRequestExtensions.", at("tbsRequest.requestList.request", lambda n: n.body.append(ctx("x", 1, null()))), "TrailingData"
    yield "d2-fields-out-of-order", "D2", "requestorName before version.", at("tbsRequest", lambda n: n.body.insert(0, n.body.pop(1)), full), "MalformedDer"
    yield from lengths(base, cert, lambda t: t)
    yield "d7-nested-sequences", "D7", "3,000 SEQUENCEs in one another.", nested(3000), "MalformedDer"
    yield "d7-nested-name", "D7", "3,000 SEQUENCEs in one another where a Name belongs.", request([single_request(cert_id(ca, 0x1001))], requestor=ctx("directoryName", 4, Raw("deep", nested(3000)))), "InvalidName"
    for name, content in {"empty": b"", "leading-00": b"\x00\x01", "leading-00-zero": b"\0\0", "leading-ff": b"\xff\x80"}.items():
        yield f"d8-serial-{name}", "D8", f"serialNumber: {name}.", at(cert + ".serialNumber", body(content)), "InvalidSerialNumber"
        yield f"d8-version-{name}", "D8", f"version: {name}.", at("tbsRequest.version.v", body(content), full), "MalformedDer"
    critical = "tbsRequest.requestList.request.singleRequestExtensions.extensions.unknown.critical"
    for name, content in {"01": b"\x01", "empty": b"", "two-octets": b"\xff\xff", "fe": b"\xfe"}.items():
        yield f"d9-boolean-{name}", "D9", f"critical is a BOOLEAN with content {content.hex() or 'nothing'}.", at(critical, body(content), full), "MalformedDer"
    for place, path, outcome in (("hash-algorithm", cert + ".hashAlgorithm.algorithm", "MalformedDer"), ("extension", critical.replace("critical", "extnID"), "MalformedDer"),
                                 ("signature-algorithm", "optionalSignature.Signature.signatureAlgorithm.algorithm", "InvalidSignature"),
                                 ("acceptable-response", "tbsRequest.requestExtensions.extensions.acceptable.extnValue.AcceptableResponses.type", "InvalidExtension")):
        for name, content in bad_oids().items():
            yield f"d10-{place}-{name}", "D10", f"OID of {place}: {name}.", at(path, body(content), full), outcome
    for name, content in bad_bits().items():
        yield f"d11-signature-{name}", "D11", f"signature: {name}.", at("optionalSignature.Signature.signature", body(content), full), "InvalidSignature"
    twice = lambda make: request([single_request(cert_id(ca, 0x1001))], [make(), make()])
    unknown_ext = lambda: extension("unknown", UNKNOWN_EXTENSION, null())
    yield "d12-nonce-twice", "D12", "Two nonces.", twice(nonce), "DuplicateExtension"
    yield "d12-extension-twice", "D12", "An unknown extension twice.", twice(unknown_ext), "DuplicateExtension"
    yield "d12-single-extension-twice", "D12", "An unknown single extension twice.", request([single_request(cert_id(ca, 0x1001), unknown_ext(), unknown_ext())]), "DuplicateExtension"
    yield "d13-empty-requestExtensions", "D13", "requestExtensions with no element.", at("tbsRequest.requestExtensions.extensions", body([]), full), "EmptyExtensions"
    yield "d13-empty-singleRequestExtensions", "D13", "singleRequestExtensions with no element.", at("tbsRequest.requestList.request.singleRequestExtensions.extensions", body([]), full), "EmptyExtensions"
    yield "d13-requestExtensions-without-sequence", "D13", "requestExtensions [2] with nothing inside.", at("tbsRequest.requestExtensions", body([]), full), "MalformedDer"
    for name, rule, value in bad_nonces():
        yield f"{rule.lower()}-nonce-{name}", rule, f"nonce: {name}.", request([single_request(cert_id(ca, 0x1001))], [extension("nonce_", NONCE, value)]), "InvalidNonce"
    for name, value in {"v2": b"\x01", "minus1": b"\xff", "256": b"\x01\0"}.items():
        yield f"r1-version-{name}", "R1", f"version {name}.", at("tbsRequest.version.v", body(value), full), "UnsupportedVersion"
    yield "r1-version-empty", "R1", "version [0] with nothing inside.", at("tbsRequest.version", body([]), full), "MalformedDer"
    yield "r7-empty-requestList", "R7", "requestList has no element.", at("tbsRequest.requestList", body([])), "EmptyRequestList"
    yield "r7-no-requestList", "R7", "tbsRequest has no field.", at("tbsRequest", body([])), "MalformedDer"
    yield "r12-33-certids", "R12", "33 CertIDs, with a cap of 32.", request([single_request(cert_id(ca, 0x1001 + i), name=f"request{i}") for i in range(33)]), "TooManyCertIds"
    for name, parameters in {"octet-string": octets("p", b""), "sequence": seq("p"), "null-with-content": Node("p", 0x05, b"\0"), "two-nulls": Raw("p", b"\x05\0\x05\0")}.items():
        outcome = "TrailingData" if name == "two-nulls" else "UnsupportedParameters"
        yield f"r16-parameters-{name}", "R16", f"hashAlgorithm parameters: {name}.", at(cert + ".hashAlgorithm", lambda n, p=parameters: n.body.__setitem__(1, p)), outcome
    for hash_name in ("sha1", "sha224", "sha256", "sha384", "sha512"):
        tree = request([single_request(cert_id(ca, 0x1001, hash_name))])
        for field in ("issuerNameHash", "issuerKeyHash"):
            for name, change in {"short": lambda n: setattr(n, "body", n.body[:-1]), "long": lambda n: setattr(n, "body", n.body + b"\0"), "empty": body(b"")}.items():
                yield f"d18-{hash_name}-{field}-{name}", "D18", f"{field} is {name} for {hash_name}.", at(f"{cert}.{field}", change, tree), "HashLengthMismatch"
    for name, value in bad_general_names().items():
        yield f"r3-requestor-{name}", "R3", f"requestorName: {name}.", request([single_request(cert_id(ca, 0x1001))], requestor=value), "InvalidName"
    yield "r3-requestor-empty", "R3", "requestorName [1] with nothing inside.", at("tbsRequest.requestorName", body([]), full), "MalformedDer"
    yield "r3-requestor-two", "R3", "Two names in requestorName.", at("tbsRequest.requestorName", lambda n: n.body.append(n.body[0]), full), "TrailingData"
    yield "r5-signed-without-requestor", "R5", "Signed, but no requestorName.", request([single_request(cert_id(ca, 0x1001))], signer=Signer(pki.keys["requestor-rsa"])), "InvalidSignature"
    yield "r5-signature-empty", "R5", "optionalSignature holds an empty SEQUENCE.", at("optionalSignature.Signature", body([]), full), "InvalidSignature"
    yield "r5-signature-without-bits", "R5", "Signature without its BIT STRING.", at("optionalSignature.Signature", lambda n: n.body.pop(1), full), "InvalidSignature"
    yield "r5-optionalSignature-empty", "R5", "optionalSignature [0] with nothing inside.", at("optionalSignature", body([]), full), "InvalidSignature"
    for name, ext, value in bad_request_values():
        yield f"d14-{name}", "D14", f"A known extension's value: {name}.", request([single_request(cert_id(ca, 0x1001))], [extension("x", ext, value)]), "InvalidExtension"


def nested(depth):
    message = b""
    for _ in range(depth):
        message = b"\x30" + der.length(len(message)) + message
    return message


def lengths(base, path, resign):
    """D4 and D5: lengths that lie, at the outermost SEQUENCE and deep inside."""
    forms = {"ff": b"\xff", "84ffffffff": b"\x84\xff\xff\xff\xff", "847fffffff": b"\x84\x7f\xff\xff\xff", "88ffffffffffffffff": b"\x88" + b"\xff" * 8,
             "887fffffffffffffff": b"\x88\x7f" + b"\xff" * 7, "fe": b"\xfe" + b"\xff" * 126, "leading-00": None}
    for name, octets_ in forms.items():
        rule = "D4" if name in ("ff", "leading-00") else "D5"
        for place in ("", path, path + ".serialNumber"):
            form = der.with_length(octets_) if octets_ else (lambda tag, content: tag + b"\x83\0" + len(content).to_bytes(2, "big") + content)
            yield f"{rule.lower()}-length-{name}-at-{place.split('.')[-1] or 'outermost'}", rule, f"Length {name} at {place or 'the outermost SEQUENCE'}.", \
                resign(base.changed(place, set_form(form))), region(place)
    one_more = lambda tag, content: tag + der.length(len(content) + 1) + content
    one_less = lambda tag, content: tag + der.length(len(content) - 1) + content
    yield "d5-length-one-more-outermost", "D5", "The outermost length is one more than there is.", base.changed("", set_form(one_more)), "MalformedDer"
    yield "d5-length-one-less-outermost", "D5", "The outermost length is one less than there is.", base.changed("", set_form(one_less)), "TrailingData"
    yield "d5-length-one-more-last-field", "D5", "The last field inside claims one octet more than its parent has.", resign(base.changed(path + ".serialNumber", set_form(one_more))), "InvalidSerialNumber"
    encoded = base.encode()
    yield "d5-truncated-half", "D5", "The first half of the message.", encoded[:len(encoded) // 2], "MalformedDer"
    yield "d5-truncated-last", "D5", "All but the last octet.", encoded[:-1], "MalformedDer"
    yield "d5-tag-only", "D5", "A tag and no length.", b"\x30", "MalformedDer"
    yield "d5-length-octets-cut", "D5", "A length of four octets of which two are there.", b"\x30\x84\x00\x00", "MalformedDer"


def bad_oids():
    return {"empty": b"", "unfinished": oid("", UNKNOWN_EXTENSION).body + b"\x81", "padded-first": b"\x80\x2b\x06\x01", "padded-inside": b"\x2b\x80\x06\x01",
            "arc-of-1000-octets": b"\x2b" + b"\xff" * 1000 + b"\x7f"}


def bad_bits():
    return {"no-octets": b"", "unused-8": b"\x08\x00", "unused-255": b"\xff\x00", "unused-1-pad-set": b"\x01\x01", "unused-1-pad-clear": b"\x01\x02", "unused-1-of-nothing": b"\x01"}


def bad_nonces():
    yield "0", "R26", octets("n", b"")
    yield "129", "R26", octets("n", bytes(129))
    yield "1000", "R26", octets("n", bytes(1000))
    yield "raw", "R27", bytes(range(0x80, 0x90))
    yield "raw-looks-like-tag", "R27", b"\x04\x20" + bytes(8)
    yield "empty-value", "D14", b""
    yield "length-short", "D14", b"\x04\x03" + bytes(4)
    yield "length-long", "D14", b"\x04\x05" + bytes(4)
    yield "junk-after", "D14", b"\x04\x04" + bytes(4) + b"\xaa"
    yield "two-octet-strings", "D14", b"\x04\x01\x01\x04\x01\x02"
    yield "sequence", "D14", seq("s", octets("n", bytes(4)))
    yield "integer", "D14", integer("i", 1)
    yield "null", "D14", null()
    yield "constructed", "D14", b"\x24\x04\x04\x02\x01\x02"
    yield "overlong", "D14", b"\x04\x81\x04" + bytes(4)
    yield "negative-length", "D14", b"\x04\x84\xff\xff\xff\xff"


def bad_general_names():
    return {
        "unknown-tag-9": Node("n", 0x89, b"x"), "universal-tag": Node("n", 0x16, b"who@example"), "rfc822Name-not-ascii": Node("n", 0x81, b"\xc3\xa9@example"),
        "dNSName-not-ascii": Node("n", 0x82, b"\xff"), "uri-not-ascii": Node("n", 0x86, b"http://\xff/"), "rfc822Name-constructed": Node("n", 0xA1, [Node("s", 0x16, b"a")]),
        "directoryName-not-a-sequence": ctx("n", 4, null()), "directoryName-implicit": Node("n", 0xA4, full_name().content()), "directoryName-empty-rdn": ctx("n", 4, seq("name", Node("rdn", 0x31, []))),
        "directoryName-attribute-without-value": ctx("n", 4, seq("name", Node("rdn", 0x31, [seq("a", oid("type", "2.5.4.3"))]))),
        "directoryName-nothing": ctx("n", 4), "otherName-empty": ctx("n", 0), "otherName-without-value": ctx("n", 0, oid("type", "1.2.3")), "registeredID-empty": Node("n", 0x88),
        "registeredID-unfinished": Node("n", 0x88, b"\x2b\x81"), "iPAddress-3-octets": Node("n", 0x87, b"\x01\x02\x03"), "x400Address-primitive": Node("n", 0x83, b"x"),
    }


def bad_request_values():
    yield "acceptable-not-a-sequence", ACCEPTABLE, oid("t", BASIC)
    yield "acceptable-integer-inside", ACCEPTABLE, seq("s", integer("i", 1))
    yield "acceptable-empty-value", ACCEPTABLE, b""
    yield "preferred-not-a-sequence", PREFERRED, null()
    yield "preferred-oid-without-sequence", PREFERRED, seq("s", oid("a", "1.2.3"))
    yield "preferred-empty-element", PREFERRED, seq("s", seq("e"))
    yield "preferred-three-fields", PREFERRED, seq("s", seq("e", *(seq("a", oid("o", "1.2.3")) for _ in range(3))))
    yield "preferred-empty-value", PREFERRED, b""
