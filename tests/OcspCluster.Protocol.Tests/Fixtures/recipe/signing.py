"""Signatures that come out the same every time: RFC 6979 nonces for ECDSA and DSA, a fixed salt for PSS."""

import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from recipe.der import bits, integer, ctx, null, oid, seq

SHA = {"sha1": "1.3.14.3.2.26", "sha224": "2.16.840.1.101.3.4.2.4", "sha256": "2.16.840.1.101.3.4.2.1",
       "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
RSA = {"sha1": "1.2.840.113549.1.1.5", "sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}
ECDSA = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
DSA = {"sha256": "2.16.840.1.101.3.4.3.2"}
PSS = "1.2.840.113549.1.1.10"
ED25519 = "1.3.101.112"

# p, a, n, G of SEC 2; the curve's b is not needed to add points.
P256 = (0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF, -3,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
         0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5))
P384 = (2**384 - 2**128 - 2**96 + 2**32 - 1, -3,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        (0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
         0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F))
P521 = (2**521 - 1, -3,
        int("01" + "FF" * 32 + "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409", 16),
        (0xC6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,
         0x11839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650))
CURVES = {"secp256r1": P256, "secp384r1": P384, "secp521r1": P521}


def add(curve, p, q):
    modulus, a, _, _ = curve
    if p is None or q is None:
        return p or q
    (x1, y1), (x2, y2) = p, q
    if x1 == x2 and (y1 + y2) % modulus == 0:
        return None
    slope = (3 * x1 * x1 + a) * pow(2 * y1, -1, modulus) if p == q else (y2 - y1) * pow(x2 - x1, -1, modulus)
    x = (slope * slope - x1 - x2) % modulus
    return x, (slope * (x1 - x) - y1) % modulus


def multiply(curve, k):
    point, result = curve[3], None
    while k:
        result = add(curve, result, point) if k & 1 else result
        point, k = add(curve, point, point), k >> 1
    return result


def deterministic_k(x, q, digest, hash_name):
    """RFC 6979 section 3.2."""
    size = (q.bit_length() + 7) // 8

    def bits2int(octets):
        value = int.from_bytes(octets, "big")
        return value >> max(0, len(octets) * 8 - q.bit_length())

    def mac(key, message):
        return hmac.new(key, message, hash_name).digest()

    seed = x.to_bytes(size, "big") + (bits2int(digest) % q).to_bytes(size, "big")
    v = b"\x01" * len(digest)
    key = mac(b"\0" * len(digest), v + b"\0" + seed)
    v = mac(key, v)
    key = mac(key, v + b"\x01" + seed)
    v = mac(key, v)
    while True:
        t = b""
        while len(t) < size:
            v = mac(key, v)
            t += v
        k = bits2int(t[:size])
        if 0 < k < q:
            return k, bits2int(digest)
        key = mac(key, v + b"\0")
        v = mac(key, v)


def load(path):
    return load_pem_private_key(path.read_bytes(), None)


def hash_by_name(name):
    return {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}[name]()


class Signer:
    """Signs with one private key; algorithm() is the AlgorithmIdentifier that belongs beside the signature."""

    def __init__(self, key, hash_name="sha256", pss=False):
        self.key, self.hash_name, self.pss = key, hash_name, pss
        self.kind = type(key).__name__.strip("_").replace("PrivateKey", "")

    @property
    def oid(self):
        if self.pss:
            return PSS
        return {"RSA": RSA, "EllipticCurve": ECDSA, "DSA": DSA, "Ed25519": {"sha256": ED25519}}[self.kind][self.hash_name]

    def algorithm(self, name="signatureAlgorithm"):
        if self.pss:
            digest = lambda: seq("hash", oid("algorithm", SHA[self.hash_name]), null())
            return seq(name, oid("algorithm", PSS), seq(
                "parameters", ctx("hashAlgorithm", 0, digest()),
                ctx("maskGenAlgorithm", 1, seq("mgf1", oid("algorithm", "1.2.840.113549.1.1.8"), digest())),
                ctx("saltLength", 2, integer("salt", hashlib.new(self.hash_name).digest_size))))
        return seq(name, oid("algorithm", self.oid), *([null("parameters")] if self.kind == "RSA" else []))

    def sign(self, message):
        if self.kind == "Ed25519":
            return self.key.sign(message)
        if self.kind == "RSA":
            return self.sign_pss(message) if self.pss else self.key.sign(message, padding.PKCS1v15(), hash_by_name(self.hash_name))
        digest = hashlib.new(self.hash_name, message).digest()
        numbers = self.key.private_numbers()
        if self.kind == "DSA":
            parameters = numbers.public_numbers.parameter_numbers
            x, q = numbers.x, parameters.q
            k, z = deterministic_k(x, q, digest, self.hash_name)
            r = pow(parameters.g, k, parameters.p) % q
        else:
            curve = CURVES[self.key.curve.name]
            x, q = numbers.private_value, curve[2]
            k, z = deterministic_k(x, q, digest, self.hash_name)
            r = multiply(curve, k)[0] % q
        return seq("", integer("r", r), integer("s", pow(k, -1, q) * (z + r * x) % q)).encode()

    def sign_pss(self, message):
        """EMSA-PSS of RFC 8017 section 9.1.1 with a salt of fixed octets."""
        size = hashlib.new(self.hash_name).digest_size
        digest = hashlib.new(self.hash_name, message).digest()
        salt = bytes(range(size))
        h = hashlib.new(self.hash_name, b"\0" * 8 + digest + salt).digest()
        numbers = self.key.private_numbers()
        modulus = numbers.public_numbers.n
        octets = (modulus.bit_length() + 6) // 8
        db = b"\0" * (octets - 2 * size - 2) + b"\x01" + salt
        mask, counter = b"", 0
        while len(mask) < len(db):
            mask += hashlib.new(self.hash_name, h + counter.to_bytes(4, "big")).digest()
            counter += 1
        masked = bytearray(a ^ b for a, b in zip(db, mask))
        masked[0] &= 0xFF >> (8 * octets - (modulus.bit_length() - 1))
        encoded = bytes(masked) + h + b"\xbc"
        return pow(int.from_bytes(encoded, "big"), numbers.d, modulus).to_bytes((modulus.bit_length() + 7) // 8, "big")

    def signature(self, message, name="signature"):
        return bits(name, self.sign(message))
