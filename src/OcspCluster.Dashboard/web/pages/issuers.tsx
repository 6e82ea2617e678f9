import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, issuerPath, listIssuers, may, post, Problem, type Credential, type Credentials, type Issuer, type Refresh, type Resign, type Session } from "../api";
import { oidName } from "../der";
import { count, day, grouped, seconds, span, words } from "../format";
import { useLoad } from "../load";
import { place } from "../router";
import { useStore } from "../store";
import { Badge, Card, Dialog, Empty, Fact, Facts, Failure, Loading, Meter, Notice, Table, Time, type Tone } from "../ui";

export function Issuers({ session }: { session: Session }): JSX.Element {
  const { parts } = useStore(place);
  const { data, problem, reload } = useLoad("issuers", listIssuers);
  const chosen = data?.find((issuer) => issuer.id === parts[0]) ?? data?.[0];
  return (
    <div class="page">
      <h1>Issuers and keys</h1>
      {problem && <Failure problem={problem} retry={reload} />}
      {!data && !problem && <Loading rows={6} />}
      {data?.length === 0 && <Empty title="No issuer is within your scopes" />}
      {data && data.length > 1 && (
        <nav class="tabs" aria-label="Issuers">{data.map((issuer) => <a key={issuer.id} href={`#/issuers/${encodeURIComponent(issuer.id)}`} aria-current={issuer === chosen ? "true" : undefined}>{issuer.id}</a>)}</nav>
      )}
      {chosen && <OneIssuer key={chosen.id} id={chosen.id} session={session} />}
    </div>
  );
}

function OneIssuer({ id, session }: { id: string; session: Session }): JSX.Element {
  const issuer = useLoad(`issuer ${id}`, (signal) => get<Issuer>(issuerPath(id), signal), 10_000);
  const credentials = useLoad(`credentials ${id}`, (signal) => get<Credentials>(`${issuerPath(id)}/credentials`, signal), 3000);
  return (
    <>
      <Card title="Who signs" wide>
        {credentials.problem && <Failure problem={credentials.problem} retry={credentials.reload} />}
        {!credentials.data && !credentials.problem && <Loading rows={3} />}
        {credentials.data && <CredentialList state={credentials.data} />}
      </Card>
      <RefreshCard id={id} session={session} />
      {issuer.problem && <Failure problem={issuer.problem} retry={issuer.reload} />}
      {!issuer.data && !issuer.problem && <Loading rows={6} />}
      {issuer.data && <><Authority issuer={issuer.data} /><Policy issuer={issuer.data} /><Sources issuer={issuer.data} /></>}
    </>
  );
}

const toneOfRole: Record<string, Tone> = { inUse: "ok", next: "info", ready: "neutral", notYetValid: "neutral", retired: "warning" };
const wordOfRole: Record<string, string> = { inUse: "in use", next: "takes over next", ready: "ready", notYetValid: "not yet valid", retired: "retired" };

function CredentialList({ state }: { state: Credentials }): JSX.Element {
  return (
    <>
      {[...state.fileErrors, ...state.warnings].map((text) => <Notice key={text} tone="warning">{text}</Notice>)}
      <Table label="Responder credentials" head={<><th scope="col">Credential</th><th scope="col">Part</th><th scope="col">Validity</th><th scope="col">Algorithm</th><th scope="col">Signer</th></>}>
        {state.credentials.map((one) => <CredentialRow key={one.sha256} credential={one} />)}
      </Table>
      {state.replacements > 0 && <p class="faint foot">Files that were replaced have been taken {count(state.replacements)} times since the start.</p>}
    </>
  );
}

function CredentialRow({ credential }: { credential: Credential }): JSX.Element {
  const from = Date.parse(credential.notBefore);
  const to = Date.parse(credential.notAfter);
  const left = to - Date.now();
  return (
    <tr>
      <th scope="row">{credential.subject}<div class="faint clip" title={grouped(credential.sha256)}>SHA-256 {grouped(credential.sha256.slice(0, 16))}…</div></th>
      <td><Badge tone={toneOfRole[credential.role] ?? "neutral"}>{wordOfRole[credential.role] ?? credential.role}</Badge><div class="faint">{credential.isDelegated ? "delegated by the issuer" : "the issuer's own key"}</div></td>
      <td class="validity"><Meter value={Date.now() - from} max={to - from} label={`Of the validity of ${credential.subject} that has passed`} tone={left < 0 ? "critical" : left < 30 * 86_400_000 ? "warning" : "info"} />{day(credential.notBefore)} to {day(credential.notAfter)}<div class="faint"><Time at={credential.notAfter} relative /></div></td>
      <td>{oidName(credential.signatureAlgorithm)}<div class="faint">{credential.isRemote ? "in an HSM" : "in this process"}</div></td>
      <td>
        {credential.isFailing ? <Badge tone="critical">failing</Badge> : <Badge tone="ok">well</Badge>} {credential.running} of {credential.concurrency} at work, {credential.waiting} waiting
        {credential.lastError && <div class="faint"><Time at={credential.lastErrorAt} relative />: {credential.lastError}</div>}
      </td>
    </tr>
  );
}

function RefreshCard({ id, session }: { id: string; session: Session }): JSX.Element {
  const refresh = useLoad(`refresh ${id}`, (signal) => get<Refresh>(`${issuerPath(id)}/refresh`, signal), 2000);
  const resign = useLoad(`resign ${id}`, (signal) => get<Resign>(`${issuerPath(id)}/resign`, signal), 2000);
  const [isAsking, setAsking] = useState(false);
  const { data } = refresh;
  const plan = data && data.tracked > 0 ? data.tracked / Math.max(1, data.signaturesPerSecond) : null;
  const expiry = seconds(data?.timeToFirstExpiry);
  return (
    <Card title="Refresh" wide aside={may(session, "operator", id) && <button type="button" class="small" onClick={() => setAsking(true)}>Sign everything anew…</button>}>
      {refresh.problem && <Failure problem={refresh.problem} retry={refresh.reload} />}
      {!data && !refresh.problem && <Loading rows={3} />}
      {data?.isResting && <Notice tone="critical">It rests because nobody could sign.</Notice>}
      {data && data.untracked > 0 && <Notice tone="warning">{count(data.untracked)} answers found no place in the schedule and are signed when they are asked for.</Notice>}
      {data && (
        <Facts>
          <Fact name="Signed before anybody asks">{data.presign === "All" ? `all, under ${data.presignHashes.join(", ")}` : data.presign === "Asked" ? "what was asked for" : "nothing"}</Fact>
          <Fact name="Kept fresh">{count(data.tracked)}</Fact>
          <Fact name="Due now">{count(data.backlog)}</Fact>
          <Fact name="First answer ends">{expiry === null ? "none can" : expiry < 0 ? `${span(-expiry)} ago` : `in ${span(expiry)}`}</Fact>
          <Fact name="Pace">{count(data.signaturesPerSecond)} signatures/s</Fact>
          <Fact name="Plan">{plan === null ? "nothing to sign anew" : `everything anew within ${span(Math.max(1, plan))}`}</Fact>
          <Fact name="Signed since the start">{count(data.signatures)}</Fact>
        </Facts>
      )}
      {resign.data && resign.data.state !== "none" && (
        <div class="resign" role="status">
          <Meter value={resign.data.done} max={Math.max(1, resign.data.total)} label="Signed anew" />
          <p>{resign.data.state === "complete" ? `${count(resign.data.total)} answers were signed anew, begun ` : `${count(resign.data.done)} of ${count(resign.data.total)} answers signed anew, begun `}<Time at={resign.data.startedAt} />{resign.data.state === "running" && resign.data.remaining && `; ${span(seconds(resign.data.remaining))} left`}.</p>
        </div>
      )}
      {isAsking && <ResignDialog id={id} onClose={() => { setAsking(false); resign.reload(); }} />}
    </Card>
  );
}

function ResignDialog({ id, onClose }: { id: string; onClose: () => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (typed.trim() !== id) {
      return;
    }

    setBusy(true);
    try {
      await post<Resign>(`${issuerPath(id)}/resign`, {});
      onClose();
    } catch (error) {
      setProblem(error as Problem);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Sign everything anew" onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <p>Every answer of {id} is signed again, as after the compromise of a responder's key, at the pace of its policy. Relying parties see nothing of it but newer answers.</p>
        <label><span>To confirm, type the issuer: <kbd>{id}</kbd></span><input value={typed} autocomplete="off" spellcheck={false} onInput={(event) => setTyped(event.currentTarget.value)} /></label>
        {problem && <Failure problem={problem} />}
        <div class="buttons"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary" disabled={isBusy || typed.trim() !== id}>Sign anew</button></div>
      </form>
    </Dialog>
  );
}

function Authority({ issuer }: { issuer: Issuer }): JSX.Element {
  return (
    <Card title="The issuer's certificates" wide>
      <Table label="The issuer's certificates" head={<><th scope="col">Subject</th><th scope="col">Valid from</th><th scope="col">Valid until</th><th scope="col">SHA-256</th></>}>
        {issuer.certificates.map((one) => <tr key={one.sha256}><th scope="row">{one.subject}</th><td>{day(one.notBefore)}</td><td>{day(one.notAfter)} <span class="faint"><Time at={one.notAfter} relative /></span></td><td class="clip" title={grouped(one.sha256)}><code>{grouped(one.sha256.slice(0, 16))}…</code></td></tr>)}
      </Table>
      <Facts>
        <Fact name="Good">{count(issuer.counts.good)}</Fact><Fact name="Held">{count(issuer.counts.held)}</Fact><Fact name="Revoked">{count(issuer.counts.revoked)}</Fact><Fact name="Journal ends at">{count(issuer.position)}</Fact>
      </Facts>
    </Card>
  );
}

const policyWords: Record<string, string> = {
  inventory: "Issued certificates", unissued: "Never issued is answered", expiredRetention: "Expired are answered for", nonce: "Nonce", nonceMaxBytes: "Longest nonce, octets", acceptRawNonce: "Takes raw nonces",
  signedRequests: "Signed requests", validity: "An answer is valid for", refreshAt: "Signed anew after, of its validity", maxAge: "HTTP caches keep it for", backdate: "Back-dated by", responderId: "Responder named",
};

function Policy({ issuer }: { issuer: Issuer }): JSX.Element {
  const show = (value: string | number | boolean): string => {
    const length = typeof value === "string" ? seconds(value) : null;
    return length !== null ? span(length) : typeof value === "boolean" ? (value ? "yes" : "no") : typeof value === "string" ? words(value) : String(value);
  };
  return <Card title="Policy" wide><Facts>{Object.entries(issuer.policy).map(([name, value]) => <Fact key={name} name={policyWords[name] ?? words(name)}>{show(value)}</Fact>)}</Facts></Card>;
}

function Sources({ issuer }: { issuer: Issuer }): JSX.Element {
  return (
    <Card title="CRLs and indexes that are read" wide>
      {issuer.sources.length === 0 ? <Empty title="None is configured">The CA tells of its events itself.</Empty> : (
        <Table label="Sources" head={<><th scope="col">Source</th><th scope="col">Number</th><th scope="col">Next update</th><th scope="col">Last look</th><th scope="col" class="num">Recorded</th><th scope="col">State</th></>}>
          {issuer.sources.map((one) => (
            <tr key={one.kind + one.location}>
              <th scope="row">{one.kind}<div class="faint break">{one.location}</div></th><td>{one.number ?? "–"}</td><td><Time at={one.nextUpdate} relative /></td><td><Time at={one.lastLook} relative /></td><td class="num">{count(one.applied)}</td>
              <td>{one.error ? <><Badge tone="critical">failing</Badge> {one.error}</> : one.problem ? <><Badge tone="warning">in part</Badge> {one.problem}</> : <Badge tone="ok">well</Badge>}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
