import { contentOf, octets, parse } from "./der";

// Verifies the journal's proofs here, in the browser: the server is asked for hashes and not believed (RFC 9162 §2.1.3 and §2.1.4, which is how RFC 6962's proofs are verified).

export interface Checkpoint {
  origin: string;
  size: number;
  root: string; // base64
  time: string | null;
}

/** A C2SP tlog-checkpoint. */
export function readCheckpoint(note: string): Checkpoint {
  const [origin = "", size = "", root = ""] = note.split("\n");
  if (!origin || !/^\d+$/.test(size) || octets(root).length !== 32) {
    throw new Error("This is no checkpoint.");
  }

  return { origin, size: Number(size), root, time: /^time (\S+)$/m.exec(note)?.[1] ?? null };
}

async function hashChildren(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  const input = new Uint8Array(65);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 33);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", input));
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean => one.length === other.length && one.every((byte, i) => byte === other[i]);

// Halves without 32-bit arithmetic: a journal may be longer than that.
const half = (n: number): number => Math.floor(n / 2);

/** Whether an entry with this leaf hash is at a position (from 0) of the tree of so many entries with this root. */
export async function isIncluded(index: number, size: number, leaf: string, proof: string[], root: string): Promise<boolean> {
  if (index >= size) {
    return false;
  }

  let fn = index;
  let sn = size - 1;
  let hash = octets(leaf);
  for (const part of proof.map(octets)) {
    if (sn === 0) {
      return false;
    }

    if (fn % 2 === 1 || fn === sn) {
      hash = await hashChildren(part, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      hash = await hashChildren(hash, part);
    }

    fn = half(fn);
    sn = half(sn);
  }

  return sn === 0 && isSame(hash, octets(root));
}

/** Whether the tree of the second size only continues that of the first. */
export async function isConsistent(first: number, second: number, firstRoot: string, secondRoot: string, proof: string[]): Promise<boolean> {
  if (first === 0) {
    return proof.length === 0; // everything continues the empty journal
  }

  if (first === second) {
    return proof.length === 0 && firstRoot === secondRoot;
  }

  if (first > second || proof.length === 0) {
    return false;
  }

  const path = proof.map(octets);
  let fn = first - 1;
  let sn = second - 1;
  while (fn % 2 === 1) {
    fn = half(fn);
    sn = half(sn);
  }

  const begin = fn === 0 ? octets(firstRoot) : path.shift()!; // a whole subtree is its own beginning
  let fr = begin;
  let sr = begin;
  for (const part of path) {
    if (sn === 0) {
      return false;
    }

    if (fn % 2 === 1 || fn === sn) {
      fr = await hashChildren(part, fr);
      sr = await hashChildren(part, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      sr = await hashChildren(sr, part);
    }

    fn = half(fn);
    sn = half(sn);
  }

  return sn === 0 && isSame(fr, octets(firstRoot)) && isSame(sr, octets(secondRoot));
}

/** Whether a checkpoint's signature is of a public key in PEM: ECDSA P-256 over SHA-256 of the text up to the blank line (C2SP signed-note, type 2). */
export async function verifySignature(note: string, publicKey: string): Promise<boolean> {
  const end = note.lastIndexOf("\n\n");
  const line = /^— \S+ (\S+)$/m.exec(note.slice(end + 2));
  if (end < 0 || !line) {
    return false;
  }

  const key = octets(publicKey.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""));
  const imported = await crypto.subtle.importKey("spki", key as Uint8Array<ArrayBuffer>, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  const der = octets(line[1]!).subarray(4); // behind the key's id
  const raw = new Uint8Array(64); // WebCrypto takes r and s in 32 octets each
  parse(der).children.forEach((part, i) => {
    const value = contentOf(der, part);
    const bare = value.subarray(Math.max(0, value.length - 32));
    raw.set(bare, 32 * (i + 1) - bare.length);
  });
  return await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, imported, raw, new TextEncoder().encode(note.slice(0, end + 1)));
}
