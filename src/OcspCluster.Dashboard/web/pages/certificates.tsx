import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, issuerPath, listIssuers, may, type CertificateStatus, type IssuerName, type Session } from "../api";
import { grouped, words } from "../format";
import { useLoad } from "../load";
import { certificateLink, go, place } from "../router";
import { identify, noteExists, readings, search } from "../search";
import { useStore } from "../store";
import { Card, Empty, Failure, Icon, Loading, Notice, Status, Table, Time } from "../ui";
import { Bulk } from "./bulk";

const pageSize = 50;

export function Certificates({ session }: { session: Session }): JSX.Element {
  const issuers = useLoad("issuers", listIssuers);
  const list = issuers.data ?? [];
  const [isBulk, setBulk] = useState(false);
  const writable = list.filter((issuer) => may(session, "feed", issuer.id));
  return (
    <div class="page">
      <div class="page-head">
        <h1>Certificates</h1>
        {writable.length > 0 && <button type="button" onClick={() => setBulk(true)}>Many at once…</button>}
      </div>
      {issuers.problem && <Failure problem={issuers.problem} retry={issuers.reload} />}
      {issuers.data && <><Search issuers={list} /><Browse issuers={list} /></>}
      {!issuers.data && !issuers.problem && <Loading rows={6} />}
      {isBulk && <Bulk issuers={writable} onClose={() => setBulk(false)} />}
    </div>
  );
}

function Search({ issuers }: { issuers: IssuerName[] }): JSX.Element {
  const { query } = useStore(place);
  const asked = query.get("q") ?? "";
  const [text, setText] = useState(asked);
  const [problem, setProblem] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const upload = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const isReadable = readings(asked).length > 0;
  const found = useLoad(asked && isReadable ? `search ${asked}` : null, (signal) => search(asked, issuers, signal));

  useEffect(() => {
    if (asked && found.data?.length === 1) {
      go(certificateLink(found.data[0]!.issuer, found.data[0]!.certificate.serial));
    }
  }, [found.data]);

  const submit = (event: Event): void => {
    event.preventDefault();
    setProblem(null);
    const read = readings(text);
    if (issuers.length === 1 && read.length === 1) {
      go(certificateLink(issuers[0]!.id, read[0]!.serial)); // it can be no other: its place says, too, when nobody told of it
    } else if (text.trim()) {
      go(`#/certificates?q=${encodeURIComponent(text.trim())}`);
    }
  };
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) {
      return;
    }

    setProblem(null);
    try {
      const read = await identify(new Uint8Array(await file.slice(0, 1 << 20).arrayBuffer()), issuers);
      if (read.issuer) {
        go(certificateLink(read.issuer, read.serial));
      } else {
        setProblem(`${read.subject} was issued by ${read.issuerName}, for which this responder does not answer.`);
      }
    } catch {
      setProblem(`${file.name} is no certificate in PEM or DER.`);
    }
  };

  return (
    <Card title="Find" wide>
      <form
        class={isOver ? "find over" : "find"}
        role="search"
        onSubmit={submit}
        onDragOver={(event) => { event.preventDefault(); setOver(true); }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => { event.preventDefault(); setOver(false); void take(event.dataTransfer?.files[0]); }}
      >
        <label class="grow">
          <span>Serial number, hexadecimal with or without colons, or decimal</span>
          <input ref={input} type="search" value={text} spellcheck={false} autocomplete="off" placeholder="5e:ed:01" onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <button type="submit" class="primary"><Icon name="search" />Search</button>
        <button type="button" onClick={() => upload.current?.click()}>Certificate…</button>
        <input ref={upload} type="file" class="sr" tabIndex={-1} aria-label="Certificate in PEM or DER" accept=".pem,.crt,.cer,.der" onChange={(event) => { void take(event.currentTarget.files?.[0]); event.currentTarget.value = ""; }} />
      </form>
      <div role="status" aria-live="polite">
        {problem && <Notice tone="warning">{problem}</Notice>}
        {asked && !isReadable && <Notice tone="warning">“{asked}” is not a serial number: hexadecimal as 5EED01, 5e:ed:01 or 0x5eed01, or decimal as 6221057.</Notice>}
        {found.problem && <Failure problem={found.problem} retry={found.reload} />}
        {found.isLoading && <Loading rows={1} />}
        {asked && found.data?.length === 0 && <Empty title={`No certificate ${asked}`}>No issuer here has told of it. {`A relying party that asks is answered as the issuer's policy says for what was never issued.`}</Empty>}
        {found.data && found.data.length > 1 && (
          <Table label="Found" head={<><th scope="col">Issuer</th><th scope="col">Serial number</th><th scope="col">Read as</th><th scope="col">Status</th></>}>
            {found.data.map((hit) => (
              <tr key={hit.issuer + hit.certificate.serial}>
                <td>{hit.issuer}</td><th scope="row"><a class="serial" href={certificateLink(hit.issuer, hit.certificate.serial)}>{grouped(hit.certificate.serial)}</a></th>
                <td>{hit.reading}</td><td><Status status={hit.certificate.status} /></td>
              </tr>
            ))}
          </Table>
        )}
      </div>
    </Card>
  );
}

function Browse({ issuers }: { issuers: IssuerName[] }): JSX.Element {
  const [issuer, setIssuer] = useState(issuers[0]?.id ?? "");
  const [status, setStatus] = useState("");
  const [pages, setPages] = useState<string[]>([""]); // the cursor of each page up to this one
  const after = pages.at(-1)!;
  const key = issuer ? `${issuerPath(issuer)}/certificates?limit=${pageSize}&status=${status}&after=${after}` : null;
  const page = useLoad(key, async (signal) => {
    const found = await get<{ certificates: CertificateStatus[]; next: string | null }>(key!, signal);
    found.certificates.forEach((one) => noteExists(issuer, one.serial));
    return found;
  });
  const choose = (change: () => void): void => {
    change();
    setPages([""]);
  };
  return (
    <Card
      title="All"
      wide
      aside={
        <>
          {issuers.length > 1 && <label class="inline"><span>Issuer</span><select value={issuer} onChange={(event) => choose(() => setIssuer(event.currentTarget.value))}>{issuers.map(({ id }) => <option key={id}>{id}</option>)}</select></label>}
          <label class="inline"><span>Status</span>
            <select value={status} onChange={(event) => choose(() => setStatus(event.currentTarget.value))}>
              <option value="">all</option><option>good</option><option>held</option><option>revoked</option>
            </select>
          </label>
        </>
      }
    >
      {page.problem && <Failure problem={page.problem} retry={page.reload} />}
      {!page.data && page.isLoading && <Loading rows={8} />}
      {page.data?.certificates.length === 0 && <Empty title={status ? `No certificate is ${status}` : "No certificate yet"}>{!status && "The CA tells of those that it issues by POST /v1/issuers/{issuer}/events; certificates that exist are imported."}</Empty>}
      {page.data && page.data.certificates.length > 0 && (
        <>
          <Table label="Certificates" head={<><th scope="col">Serial number</th><th scope="col">Status</th><th scope="col">Since</th><th scope="col">Reason</th><th scope="col">Valid until</th><th scope="col" class="num">Position</th></>}>
            {page.data.certificates.map((one) => (
              <tr key={one.serial}>
                <th scope="row"><a class="serial" href={certificateLink(issuer, one.serial)}>{grouped(one.serial)}</a></th>
                <td><Status status={one.status} /></td><td><Time at={one.revocationTime ?? one.recordedAt} /></td>
                <td>{one.reason ? words(one.reason) : <span class="faint">–</span>}</td><td><Time at={one.notAfter} /></td><td class="num">{one.position}</td>
              </tr>
            ))}
          </Table>
          <div class="pager">
            <button type="button" disabled={pages.length === 1} onClick={() => setPages(pages.slice(0, -1))}>Previous</button>
            <span class="faint" role="status">Page {pages.length}</span>
            <button type="button" disabled={!page.data.next} onClick={() => setPages([...pages, page.data!.next!])}>Next</button>
          </div>
        </>
      )}
    </Card>
  );
}
