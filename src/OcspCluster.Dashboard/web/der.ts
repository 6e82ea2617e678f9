// DER (X.690), as far as a page needs to show it: where each element begins and ends, and what the common types say.

export interface Node {
  tag: number; // the identifier octet
  start: number; // of the element, in the whole
  content: number; // of its content
  end: number; // behind its content
  children: Node[]; // of a constructed one
}

export const octets = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();

/** Reads one element that fills the bytes; throws when they are not DER. */
export function parse(bytes: Uint8Array): Node {
  const node = read(bytes, 0, bytes.length, 0);
  if (node.end !== bytes.length) {
    throw new Error("Something follows the element.");
  }

  return node;
}

/** The element within an OCTET STRING, or behind the leading octet of a BIT STRING. */
export const parseWithin = (bytes: Uint8Array, node: Node, skip = 0): Node => read(bytes, node.content + skip, node.end, 0);

function read(bytes: Uint8Array, start: number, limit: number, depth: number): Node {
  const tag = bytes[start];
  let length = bytes[start + 1];
  if (tag === undefined || length === undefined || start + 2 > limit || (tag & 31) === 31 || depth > 32) {
    throw new Error(`No element at ${start}.`);
  }

  let content = start + 2;
  if (length >= 128) {
    const size = length & 127;
    if (size === 0 || size > 4) {
      throw new Error(`A length that DER does not have at ${start}.`);
    }

    length = 0;
    for (let i = 0; i < size; i++) {
      length = length * 256 + (bytes[content++] ?? 0);
    }
  }

  const end = content + length;
  if (end > limit) {
    throw new Error(`The element at ${start} is longer than what it is in.`);
  }

  const children: Node[] = [];
  if (tag & 32) {
    for (let at = content; at < end;) {
      const child = read(bytes, at, end, depth + 1);
      children.push(child);
      at = child.end;
    }
  }

  return { tag, start, content, end, children };
}

export const contentOf = (bytes: Uint8Array, node: Node): Uint8Array => bytes.subarray(node.content, node.end);

const decoder = new TextDecoder();

export const textOf = (bytes: Uint8Array, node: Node): string => decoder.decode(contentOf(bytes, node));

/** 20261121093000Z as RFC 3339. */
export function timeOf(bytes: Uint8Array, node: Node): string {
  const text = textOf(bytes, node);
  const full = node.tag === 0x17 ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text : text; // UTCTime (RFC 5280 §4.1.2.5.1)
  return full.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/, "$1-$2-$3T$4:$5:$6");
}

export function oidOf(bytes: Uint8Array, node: Node): string {
  const arcs: bigint[] = [];
  let value = 0n;
  for (const byte of contentOf(bytes, node)) {
    value = value * 128n + BigInt(byte & 127);
    if (!(byte & 128)) {
      arcs.push(value);
      value = 0n;
    }
  }

  const first = arcs.shift() ?? 0n;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...arcs].join(".");
}

const oidNames: Record<string, string> = {
  "1.3.6.1.5.5.7.48.1.1": "id-pkix-ocsp-basic", "1.3.6.1.5.5.7.48.1.2": "id-pkix-ocsp-nonce", "1.3.6.1.5.5.7.48.1.9": "id-pkix-ocsp-extended-revoke", "1.3.6.1.5.5.7.48.1.6": "id-pkix-ocsp-archive-cutoff",
  "1.3.14.3.2.26": "SHA-1", "2.16.840.1.101.3.4.2.1": "SHA-256", "2.16.840.1.101.3.4.2.2": "SHA-384", "2.16.840.1.101.3.4.2.3": "SHA-512", "2.16.840.1.101.3.4.2.4": "SHA-224",
  "1.2.840.10045.4.3.2": "ECDSA with SHA-256", "1.2.840.10045.4.3.3": "ECDSA with SHA-384", "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
  "1.2.840.113549.1.1.11": "RSA with SHA-256", "1.2.840.113549.1.1.12": "RSA with SHA-384", "1.2.840.113549.1.1.13": "RSA with SHA-512", "1.2.840.113549.1.1.10": "RSASSA-PSS", "1.2.840.113549.1.1.5": "RSA with SHA-1",
  "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448",
  "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.5": "serialNumber",
};

/** An OID's name where it is a common one. */
export const oidName = (oid: string): string => oidNames[oid] ?? oid;

/** A Name (RFC 5280 §4.1.2.4), most significant first. */
export function nameOf(bytes: Uint8Array, name: Node): string {
  return name.children.map((set) => set.children.map((pair) => {
    const [type, value] = pair.children;
    return type && value ? `${oidName(oidOf(bytes, type))}=${textOf(bytes, value)}` : "?";
  }).join(" + ")).join(", ");
}
