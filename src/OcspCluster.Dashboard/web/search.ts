import { get, issuerPath, type CertificateStatus, type Issuer, type IssuerName } from "./api";
import { readCertificate, subjectOf } from "./ocsp";

export interface Hit {
  issuer: string;
  reading: "hexadecimal" | "decimal" | "certificate";
  certificate: CertificateStatus;
}

/** The serial numbers that somebody may mean: digits alone can be read in two ways. */
export function readings(text: string): { reading: "hexadecimal" | "decimal"; serial: string }[] {
  const bare = text.trim().replace(/^serial\s*(number)?\s*[=:]\s*/i, "").replace(/[\s:]/g, "");
  const found: { reading: "hexadecimal" | "decimal"; serial: string }[] = [];
  if (/^(0x)?[0-9a-f]{1,128}$/i.test(bare)) {
    found.push({ reading: "hexadecimal", serial: bare.replace(/^0x/i, "").toUpperCase() });
  }

  const decimal = /^decimal:?(\d+)$/i.exec(bare)?.[1] ?? (/^\d+$/.test(bare) ? bare : null);
  if (decimal) {
    found.push({ reading: "decimal", serial: `decimal:${decimal}` });
  }

  return found;
}

const found = new Set<string>();

/** Notes that a certificate exists, so that its place need not ask first. */
export function noteExists(issuer: string, serial: string): void {
  if (found.size > 10_000) {
    found.clear();
  }

  found.add(`${issuer} ${serial}`);
}

/** Whether a certificate exists: what is known to is not asked for. */
export async function exists(issuer: string, serial: string, signal: AbortSignal): Promise<boolean> {
  if (!found.has(`${issuer} ${serial}`)) {
    const { certificates } = await get<{ certificates: CertificateStatus[] }>(`${issuerPath(issuer)}/certificates?serial=${encodeURIComponent(serial)}`, signal);
    certificates.forEach(() => noteExists(issuer, serial));
  }

  return found.has(`${issuer} ${serial}`);
}

/** Asks every issuer for every reading. */
export async function search(text: string, issuers: IssuerName[], signal: AbortSignal): Promise<Hit[]> {
  const asked = issuers.flatMap((issuer) => readings(text).map(({ reading, serial }) => ({ issuer: issuer.id, reading, serial })));
  const answers = await Promise.all(asked.map(async ({ issuer, reading, serial }) => {
    const { certificates } = await get<{ certificates: CertificateStatus[] }>(`${issuerPath(issuer)}/certificates?serial=${encodeURIComponent(serial)}`, signal);
    return certificates.map((certificate): Hit => {
      noteExists(issuer, certificate.serial);
      return { issuer, reading, certificate };
    });
  }));
  return answers.flat().filter((hit, i, all) => all.findIndex((other) => other.issuer === hit.issuer && other.certificate.serial === hit.certificate.serial) === i);
}

/** What a certificate's file says, and whose it is of those that answer here. */
export async function identify(file: Uint8Array, issuers: IssuerName[]): Promise<{ serial: string; subject: string; issuerName: string; issuer: string | null }> {
  const read = readCertificate(file);
  for (const { id } of issuers) {
    const { certificates } = await get<Issuer>(issuerPath(id));
    if (certificates.some((ca) => subjectOf(ca.pem) === read.issuer)) {
      return { ...read, issuer: id };
    }
  }

  return { ...read, issuer: null };
}
