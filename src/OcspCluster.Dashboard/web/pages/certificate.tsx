import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, issuerPath, may, Problem, type CachedResponse, type Certificate as CertificateData, type Explanation, type Session } from "../api";
import { oidName } from "../der";
import { bytes as sizeOf, count, grouped, span, words } from "../format";
import { useLoad } from "../load";
import { decodeResponse, type Field } from "../ocsp";
import { exists } from "../search";
import { Badge, Card, Copy, Empty, Fact, Facts, Failure, Kind, Loading, Notice, Status, Table, Time } from "../ui";
import { ActionDialog, type Action } from "./action";

export function Certificate({ issuer, serial, session }: { issuer: string; serial: string; session: Session }): JSX.Element {
  const path = `${issuerPath(issuer)}/certificates/${encodeURIComponent(serial)}`;
  // Only when there is one: a browser writes every 404 to its console as an error.
  const certificate = useLoad(path, async (signal) => await exists(issuer, serial, signal) ? await get<CertificateData>(path, signal) : "none" as const, 5000);
  const [action, setAction] = useState<Action | null>(null);
  const [acknowledged, setAcknowledged] = useState<number | null>(null);
  const known = certificate.data === "none" ? null : certificate.data;
  const state = known?.status.status;
  const shown = known?.serial ?? serial.toUpperCase();
  const mayAct = may(session, "feed", issuer) && certificate.data !== null;

  return (
    <div class="page">
      <Crumbs issuer={issuer} />
      <div class="page-head">
        <h1 class="serial">{grouped(shown)}</h1>
        {mayAct && (
          <div class="buttons">
            {state === "held" && <button type="button" onClick={() => setAction("released")}>Release…</button>}
            {state === "good" && <button type="button" onClick={() => setAction("held")}>Hold…</button>}
            {state !== "revoked" && <button type="button" class="danger" onClick={() => setAction("revoked")}>Revoke…</button>}
          </div>
        )}
      </div>
      {acknowledged !== null && <Notice tone="ok" live>Acknowledged at position {count(acknowledged)}: it is on stable storage, and no older answer is given any more.</Notice>}
      {certificate.problem && <Failure problem={certificate.problem} retry={certificate.reload} />}
      {known && <StatusCard issuer={issuer} certificate={known} />}
      {certificate.data === "none" && <Card title="Not known" wide><Empty title={`${issuer} has told nothing of this certificate`}>It can be revoked all the same.</Empty></Card>}
      {!certificate.data && !certificate.problem && <Card title="Status" wide><Loading rows={3} /></Card>}
      <Explain key="explain" issuer={issuer} serial={serial} position={known?.status.position ?? null} />
      {known && <History certificate={known} />}
      {known && (
        <Card title="Answers in this node's cache" wide>
          {known.responses.length === 0
            ? <Empty title="None">An answer is signed when somebody asks, or by the refresh before anybody does.</Empty>
            : known.responses.map((response) => <Response key={response.hash} response={response} />)}
        </Card>
      )}
      {action && (
        <ActionDialog issuer={issuer} serial={shown} kind={action} onClose={() => setAction(null)} onDone={(position) => {
          setAction(null);
          setAcknowledged(position);
          certificate.reload();
        }} />
      )}
    </div>
  );
}

function StatusCard({ issuer, certificate: { status, serialDecimal } }: { issuer: string; certificate: CertificateData }): JSX.Element {
  return (
    <Card title="Status" wide aside={<Status status={status.status} />}>
      <Facts>
        {status.revocationTime && <Fact name={status.status === "held" ? "Held since" : "Revoked since"}><Time at={status.revocationTime} /></Fact>}
        {status.reason && <Fact name="Reason">{words(status.reason)}</Fact>}
        {status.invalidityDate && <Fact name="Key compromised since"><Time at={status.invalidityDate} /></Fact>}
        <Fact name="Valid until"><Time at={status.notAfter} /></Fact>
        <Fact name="Recorded"><Time at={status.recordedAt} /> <span class="faint">position {count(status.position)}</span></Fact>
        <Fact name="Issuer"><a href={`#/issuers/${encodeURIComponent(issuer)}`}>{issuer}</a></Fact>
        <Fact name="Serial number, decimal"><span class="serial">{serialDecimal}</span></Fact>
      </Facts>
    </Card>
  );
}

const Crumbs = ({ issuer }: { issuer: string }): JSX.Element => <p class="crumbs"><a href="#/certificates">Certificates</a> <span aria-hidden="true">/</span> {issuer}</p>;

function History({ certificate }: { certificate: CertificateData }): JSX.Element {
  return (
    <Card title="History" wide aside={<span class="faint">from the journal, newest first</span>}>
      <Table label="History" head={<><th scope="col" class="num">Position</th><th scope="col">Event</th><th scope="col">Dated</th><th scope="col">Received</th><th scope="col">By</th><th scope="col">Id</th></>}>
        {certificate.history.map((entry) => (
          <tr key={entry.position}>
            <td class="num">{entry.position}</td>
            <th scope="row"><Kind kind={entry.kind} /> {entry.reason && <span class="faint">{words(entry.reason)}</span>}</th>
            <td><Time at={entry.at} /></td><td><Time at={entry.receivedAt} /></td>
            <td>{entry.credential ?? (entry.remoteAddress === "local" ? "the host itself" : <span class="faint">not known</span>)}{entry.remoteAddress && entry.remoteAddress !== "local" && <div class="faint">from {entry.remoteAddress}</div>}</td>
            <td class="break"><code>{entry.id}</code></td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

const sources: Record<string, string> = { cache: "from the cache", kept: "from what was signed before and kept", signed: "signed for the request", actor: "from the certificate's actor", refused: "by policy, unsigned", failed: "for want of a signature" };

/** What a relying party would be told now, and why. */
function Explain({ issuer, serial, position }: { issuer: string; serial: string; position: number | null }): JSX.Element {
  const [hash, setHash] = useState("sha1");
  const [nonce, setNonce] = useState(false);
  const [turn, setTurn] = useState(0);
  const explained = useRef<number | null>(null);
  useEffect(() => {
    if (position !== null && explained.current !== null && explained.current !== position) {
      setTurn((n) => n + 1); // something happened to it since it was explained
    }

    explained.current = position;
  }, [position]);
  const path = `${issuerPath(issuer)}/certificates/${encodeURIComponent(serial)}/explain?hash=${hash}&nonce=${nonce}`;
  const { data, problem, reload } = useLoad(`${path} ${turn}`, (signal) => get<Explanation>(path, signal));
  return (
    <Card
      title="What a relying party is told now, and why"
      wide
      aside={
        <>
          <label class="inline"><span>CertID hash</span><select value={hash} onChange={(event) => setHash(event.currentTarget.value)}><option value="sha1">SHA-1</option><option value="sha256">SHA-256</option><option value="sha384">SHA-384</option><option value="sha512">SHA-512</option></select></label>
          <label class="inline"><input type="checkbox" checked={nonce} onChange={(event) => setNonce(event.currentTarget.checked)} /><span>with a nonce</span></label>
        </>
      }
    >
      {problem && <Failure problem={problem} retry={reload} />}
      {!data && !problem && <Loading rows={3} />}
      {data && (
        <div class="explain">
          <div>
            <p class="answer"><Status status={data.answer} /> <span class="faint">{sources[data.source] ?? words(data.source)}, by {data.node}</span></p>
            <ol class="because">{data.because.map((sentence) => <li key={sentence}>{sentence}</li>)}</ol>
          </div>
          <Facts>
            {data.event && <Fact name="By the event">{data.event.kind} at position {count(data.event.position)}, <Time at={data.event.at} />{data.event.credential && <div class="faint">{data.event.credential}</div>}</Fact>}
            {data.signer && <Fact name="Signed by">{data.signer.subject}<div class="faint">{oidName(data.signer.algorithm)}, until <Time at={data.signer.notAfter} /></div></Fact>}
            {data.cached && <Fact name="Answer's validity"><Time at={data.cached.thisUpdate} /> to <Time at={data.cached.nextUpdate} /><div class="faint">renewed from <Time at={data.cached.renewedFrom} /> on; made from position {count(data.cached.position)}</div></Fact>}
            {data.lease && <Fact name="This node's lease"><Badge tone={data.lease.isHeld ? "ok" : "warning"}>{data.lease.isHeld ? "held" : "not held"}</Badge> {data.lease.isHeld ? `for ${span(data.lease.secondsLeft)}` : "its cache is not believed"}</Fact>}
            {data.others && data.others.length > 0 && <Fact name="Other nodes">{data.others.map((other) => <div key={other.node}><Badge tone={other.holds === null ? "warning" : other.holds ? "ok" : "neutral"}>{other.holds === null ? "did not answer" : other.holds ? "holds it" : "does not hold it"}</Badge> {other.node}{other.position !== null && <span class="faint"> from position {count(other.position)}</span>}</div>)}</Fact>}
          </Facts>
        </div>
      )}
    </Card>
  );
}

/** A signed answer, field by field, beside its bytes: the bytes of the chosen field are marked. */
function Response({ response }: { response: CachedResponse }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="response" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>{response.hash}</strong>
        <span class="faint">valid from <Time at={response.thisUpdate} /> to <Time at={response.nextUpdate} /></span>
      </summary>
      {isOpen && <><p class="faint break">ETag <code>{response.eTag}</code>, produced <Time at={response.producedAt} /></p><Decoded base64={response.response} /></>}
    </details>
  );
}

function Decoded({ base64 }: { base64: string }): JSX.Element {
  const [chosen, setChosen] = useState<Field | null>(null);
  const decoded = useMemo(() => {
    try {
      return decodeResponse(base64);
    } catch (error) {
      return new Problem(0, "The answer cannot be decoded", String(error));
    }
  }, [base64]);
  if (decoded instanceof Problem) {
    return <Failure problem={decoded} />;
  }

  const { bytes, root } = decoded;
  return (
    <div class="decoded">
      <div class="fields"><FieldList fields={[root]} chosen={chosen} onChoose={setChosen} /></div>
      <div class="bytes">
        <p class="bytes-head"><span class="faint">{sizeOf(bytes.length)} of DER{chosen ? `; ${chosen.name}: ${chosen.end - chosen.start} octets at ${chosen.start}` : "; choose a field to see its octets"}</span><Copy text={base64} label="Copy base64" /></p>
        <Hex bytes={bytes} from={chosen?.start ?? -1} to={chosen?.end ?? -1} />
      </div>
    </div>
  );
}

function FieldList({ fields, chosen, onChoose }: { fields: Field[]; chosen: Field | null; onChoose: (field: Field) => void }): JSX.Element {
  return (
    <ul>
      {fields.map((field, i) => (
        <li key={i}>
          <button type="button" class={field === chosen ? "field chosen" : "field"} aria-pressed={field === chosen} onClick={() => onChoose(field)}>
            <span class="field-name">{field.name}</span><span class="field-value">{field.value}</span>
          </button>
          {field.fields.length > 0 && <FieldList fields={field.fields} chosen={chosen} onChoose={onChoose} />}
        </li>
      ))}
    </ul>
  );
}

function Hex({ bytes, from, to }: { bytes: Uint8Array; from: number; to: number }): JSX.Element {
  const rows = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, "0"));
    const [a, b] = [Math.min(Math.max(from - at, 0), row.length), Math.min(Math.max(to - at, 0), row.length)];
    rows.push(<div key={at}><span class="offset">{at.toString(16).padStart(4, "0")}</span> {row.slice(0, a).join(" ")}{a > 0 ? " " : ""}{b > a && <mark>{row.slice(a, b).join(" ")}</mark>}{b > a && b < row.length ? " " : ""}{row.slice(b).join(" ")}</div>);
  }

  return <div class="hex" tabIndex={0} role="group" aria-label="Octets in hexadecimal">{rows}</div>;
}
