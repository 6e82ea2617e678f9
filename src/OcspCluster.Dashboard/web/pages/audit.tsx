import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, issuerPath, Problem, send } from "../api";
import { count, when } from "../format";
import { useLoad } from "../load";
import { isConsistent, isIncluded, readCheckpoint, verifySignature, type Checkpoint } from "../merkle";
import { Badge, Card, Copy, Failure, Loading, Notice } from "../ui";

interface Inclusion { leafHash: string; root: string; proof: string[] }
interface Consistency { fromRoot: string; toRoot: string; proof: string[] }
interface Remembered { size: number; root: string; at: string }

const memory = (issuer: string): string => `ocspcluster.checkpoint.${location.host}.${issuer}`;

/** The journals' checkpoints, verified by this browser, which remembers what it saw before. */
export function Audit({ issuers }: { issuers: string[] }): JSX.Element {
  const [key, setKey] = useState("");
  return (
    <Card title="Audit" wide aside={<span class="faint">verified in this browser, not by the server</span>}>
      <div class="audits">{issuers.map((issuer) => <OneAudit key={issuer} issuer={issuer} publicKey={key} />)}</div>
      <details class="foot">
        <summary>Verify the signatures, too</summary>
        <label><span>The journal's public key, data/journal.pub of the host, from where you trust it</span><textarea rows={4} value={key} spellcheck={false} placeholder="-----BEGIN PUBLIC KEY-----" onInput={(event) => setKey(event.currentTarget.value)} /></label>
      </details>
    </Card>
  );
}

function OneAudit({ issuer, publicKey }: { issuer: string; publicKey: string }): JSX.Element {
  const { data, problem, reload } = useLoad(`checkpoint ${issuer}`, async (signal) => {
    const note = await (await send("GET", `${issuerPath(issuer)}/checkpoint`, undefined, undefined, signal)).text();
    const checkpoint = readCheckpoint(note);
    return { note, checkpoint, findings: await verify(issuer, checkpoint, signal) };
  });
  const signature = useLoad(data && publicKey.includes("BEGIN") ? `${data.note}${publicKey}` : null, () => verifySignature(data!.note, publicKey));
  return (
    <section class="audit" aria-label={`Audit of ${issuer}`}>
      <h3>{issuer}</h3>
      {problem && <Failure problem={problem} retry={reload} />}
      {!data && !problem && <Loading rows={2} />}
      {data && (
        <>
          <ul class="checks">
            <li><Badge tone="info">checkpoint</Badge> {count(data.checkpoint.size)} entries, signed at {when(data.checkpoint.time)}</li>
            {data.findings.map((finding) => <li key={finding.text}><Badge tone={finding.isSound ? "ok" : "critical"}>{finding.isSound ? "sound" : "broken"}</Badge> {finding.text}</li>)}
            {signature.data !== null && <li><Badge tone={signature.data ? "ok" : "critical"}>{signature.data ? "sound" : "broken"}</Badge> The signature is {signature.data ? "" : "not "}of that key.</li>}
          </ul>
          {data.findings.some((finding) => !finding.isSound) && <Notice tone="critical">The journal is not what was signed for. Keep what this page shows, and run the audit on the host.</Notice>}
          {signature.problem && <Failure problem={signature.problem} />}
          <pre tabIndex={0} role="group" aria-label={`Checkpoint of ${issuer}`}>{data.note.trim()}</pre>
          <div class="buttons"><Copy text={data.note} label="Copy" /><button type="button" class="small" onClick={reload}>Verify again</button></div>
        </>
      )}
    </section>
  );
}

async function verify(issuer: string, checkpoint: Checkpoint, signal: AbortSignal): Promise<{ isSound: boolean; text: string }[]> {
  if (checkpoint.size === 0) {
    return [{ isSound: true, text: "The journal is empty." }];
  }

  const findings: { isSound: boolean; text: string }[] = [];
  const last = await get<Inclusion>(`${issuerPath(issuer)}/proofs/inclusion?position=${checkpoint.size}&size=${checkpoint.size}`, signal);
  const hasLast = await isIncluded(checkpoint.size - 1, checkpoint.size, last.leafHash, last.proof, checkpoint.root);
  findings.push({ isSound: hasLast, text: hasLast ? `Entry ${count(checkpoint.size)} is in the tree that was signed.` : `Entry ${count(checkpoint.size)} is not in the tree that was signed.` });
  const before = recall(issuer);
  if (before && before.size > checkpoint.size) {
    findings.push({ isSound: false, text: `On ${when(before.at)} this browser saw ${count(before.size)} entries: the journal is shorter now. Was a backup restored?` });
    return findings;
  }

  if (before) {
    const grown = await get<Consistency>(`${issuerPath(issuer)}/proofs/consistency?from=${before.size}&to=${checkpoint.size}`, signal);
    const isGrown = await isConsistent(before.size, checkpoint.size, before.root, checkpoint.root, grown.proof);
    findings.push({ isSound: isGrown, text: isGrown ? `Since this browser first saw it on ${when(before.at)}, at ${count(before.size)} entries, it only grew.` : `It does not continue the journal that this browser saw on ${when(before.at)}.` });
  } else {
    remember(issuer, { size: checkpoint.size, root: checkpoint.root, at: new Date().toISOString() });
    findings.push({ isSound: true, text: "This browser remembers it from now on, and will verify that it only grows." });
  }

  return findings;
}

function recall(issuer: string): Remembered | null {
  try {
    return JSON.parse(localStorage.getItem(memory(issuer)) ?? "null") as Remembered | null;
  } catch {
    return null; // a browser that keeps nothing
  }
}

function remember(issuer: string, checkpoint: Remembered): void {
  try {
    localStorage.setItem(memory(issuer), JSON.stringify(checkpoint));
  } catch {
    throw new Problem(0, "This browser keeps nothing", "It cannot remember the checkpoint to verify later that the journal only grew.");
  }
}
