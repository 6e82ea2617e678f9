import { contentOf, hex, nameOf, octets, oidName, oidOf, parse, parseWithin, timeOf, type Node } from "./der";
import { grouped } from "./format";

/** One field of a decoded structure, by its name in the RFC, and where its bytes are. */
export interface Field {
  name: string;
  value: string;
  start: number;
  end: number;
  fields: Field[];
}

const responseStatus = ["successful", "malformedRequest", "internalError", "tryLater", "", "sigRequired", "unauthorized"];
const reasons = ["unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation", "certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"];

/** An OCSPResponse (RFC 6960 §4.2.1), field by field. */
export function decodeResponse(base64: string): { bytes: Uint8Array; root: Field } {
  const bytes = octets(base64);
  const reader = new Reader(bytes);
  const root = parse(bytes);
  const [status, body] = root.children;
  const fields = [reader.field("responseStatus", status, responseStatus[reader.integer(status)] ?? "?")];
  const basic = body?.children[0];
  if (basic) {
    const [type, response] = basic.children;
    fields.push(reader.field("responseType", type, oidName(oidOf(bytes, need(type)))));
    const inner = parseWithin(bytes, need(response));
    fields.push(reader.basic(inner));
  }

  return { bytes, root: reader.field("OCSPResponse", root, "", fields) };
}

function need(node: Node | undefined): Node {
  if (!node) {
    throw new Error("An element is missing.");
  }

  return node;
}

class Reader {
  constructor(private readonly bytes: Uint8Array) {}

  field(name: string, node: Node | undefined, value: string, fields: Field[] = []): Field {
    const { start, end } = need(node);
    return { name, value, start, end, fields };
  }

  integer(node: Node | undefined): number {
    return contentOf(this.bytes, need(node)).reduce((value, byte) => value * 256 + byte, 0);
  }

  basic(node: Node): Field {
    const [data, algorithm, signature, certificates] = node.children;
    const fields = [
      this.data(need(data)),
      this.field("signatureAlgorithm", algorithm, this.algorithm(need(algorithm))),
      this.field("signature", signature, this.bits(need(signature))),
    ];
    if (certificates) {
      const list = need(certificates.children[0]);
      fields.push(this.field("certs", certificates, `${list.children.length}`, list.children.map((one) => this.certificate(one))));
    }

    return this.field("BasicOCSPResponse", node, "", fields);
  }

  private data(node: Node): Field {
    const fields: Field[] = [];
    for (const child of node.children) {
      switch (child.tag) {
        case 0xa0:
          fields.push(this.field("version", child, `v${this.integer(child.children[0]) + 1}`));
          break;
        case 0xa1:
          if (fields.some((one) => one.name === "responses")) {
            fields.push(this.extensions("responseExtensions", child));
          } else {
            fields.push(this.field("responderID byName", child, nameOf(this.bytes, need(child.children[0]))));
          }

          break;
        case 0xa2:
          fields.push(this.field("responderID byKey", child, grouped(hex(contentOf(this.bytes, need(child.children[0]))))));
          break;
        case 0x18:
          fields.push(this.field("producedAt", child, timeOf(this.bytes, child)));
          break;
        default:
          fields.push(this.field("responses", child, `${child.children.length}`, child.children.map((one) => this.single(one))));
      }
    }

    return this.field("tbsResponseData", node, "", fields);
  }

  private single(node: Node): Field {
    const [certId, status, thisUpdate, ...rest] = node.children;
    const fields = [
      this.certId(need(certId)),
      this.status(need(status)),
      this.field("thisUpdate", thisUpdate, timeOf(this.bytes, need(thisUpdate))),
    ];
    for (const child of rest) {
      fields.push(child.tag === 0xa0
        ? this.field("nextUpdate", child, timeOf(this.bytes, need(child.children[0])))
        : this.extensions("singleExtensions", child));
    }

    return this.field("SingleResponse", node, "", fields);
  }

  private certId(node: Node): Field {
    const [algorithm, name, key, serial] = node.children;
    return this.field("certID", node, "", [
      this.field("hashAlgorithm", algorithm, this.algorithm(need(algorithm))),
      this.field("issuerNameHash", name, grouped(hex(contentOf(this.bytes, need(name))))),
      this.field("issuerKeyHash", key, grouped(hex(contentOf(this.bytes, need(key))))),
      this.field("serialNumber", serial, grouped(hex(contentOf(this.bytes, need(serial))))),
    ]);
  }

  private status(node: Node): Field {
    if (node.tag === 0x80 || node.tag === 0x82) {
      return this.field("certStatus", node, node.tag === 0x80 ? "good" : "unknown");
    }

    const [time, reason] = node.children;
    const fields = [this.field("revocationTime", time, timeOf(this.bytes, need(time)))];
    if (reason) {
      fields.push(this.field("revocationReason", reason, reasons[this.integer(reason.children[0])] ?? "?"));
    }

    return this.field("certStatus", node, "revoked", fields);
  }

  private extensions(name: string, node: Node): Field {
    const list = need(node.children[0]);
    return this.field(name, node, `${list.children.length}`, list.children.map((extension) => {
      const [oid, ...rest] = extension.children;
      const isCritical = rest.length > 1;
      return this.field(oidName(oidOf(this.bytes, need(oid))), extension, `${isCritical ? "critical, " : ""}${grouped(hex(contentOf(this.bytes, need(rest.at(-1)))))}`);
    }));
  }

  private certificate(node: Node): Field {
    const parts = certificateParts(node);
    return this.field("Certificate", node, nameOf(this.bytes, parts.subject), [
      this.field("serialNumber", parts.serial, grouped(hex(contentOf(this.bytes, parts.serial)))),
      this.field("issuer", parts.issuer, nameOf(this.bytes, parts.issuer)),
      this.field("validity", parts.validity, parts.validity.children.map((one) => timeOf(this.bytes, one)).join(" to ")),
      this.field("subject", parts.subject, nameOf(this.bytes, parts.subject)),
    ]);
  }

  private algorithm(node: Node): string {
    return oidName(oidOf(this.bytes, need(node.children[0])));
  }

  private bits(node: Node): string {
    return grouped(hex(contentOf(this.bytes, node).subarray(1)));
  }
}

/** What a search needs of a Certificate (RFC 5280 §4.1). */
export function certificateParts(certificate: Node): { serial: Node; issuer: Node; validity: Node; subject: Node } {
  const fields = need(certificate.children[0]).children.filter((child) => child.tag !== 0xa0); // without the version
  const [serial, , issuer, validity, subject] = fields;
  if (need(serial).tag !== 0x02 || need(issuer).tag !== 0x30) {
    throw new Error("This is no certificate.");
  }

  return { serial: need(serial), issuer: need(issuer), validity: need(validity), subject: need(subject) };
}

/** A certificate in PEM, its base64 alone, or DER. */
export function readCertificate(file: Uint8Array): { serial: string; issuer: string; issuerName: string; subject: string } {
  const text = new TextDecoder("latin1").decode(file);
  const pem = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----([^-]+)-----END/.exec(text);
  const bare = pem?.[1] ?? (/^[A-Za-z0-9+/=\s]+$/.test(text) ? text : null);
  const bytes = bare === null ? file : octets(bare.replace(/\s/g, ""));
  const parts = certificateParts(parse(bytes));
  const issuer = parts.issuer;
  return {
    serial: hex(contentOf(bytes, parts.serial)).replace(/^00(?=..)/, ""),
    issuer: hex(bytes.subarray(issuer.start, issuer.end)),
    issuerName: nameOf(bytes, issuer),
    subject: nameOf(bytes, parts.subject),
  };
}

/** The subject of a CA's certificate in PEM, as octets in hexadecimal. */
export function subjectOf(pem: string): string {
  const bytes = octets(pem.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""));
  const { subject } = certificateParts(parse(bytes));
  return hex(bytes.subarray(subject.start, subject.end));
}
