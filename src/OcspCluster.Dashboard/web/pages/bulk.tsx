import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { issuerPath, lines, Problem, send, type BulkCounts, type IssuerName } from "../api";
import { count, words } from "../format";
import { Dialog, Failure, Meter, Notice, Table } from "../ui";
import { ReasonField, type Action } from "./action";

interface Line { progress?: BulkCounts; refused?: { line: number; serial?: string; reason: string; detail: string }; summary?: BulkCounts }
interface Refused { line: number; serial?: string; reason: string; detail: string }

const maxShown = 100;
const verbs: Record<Action, string> = { revoked: "Revoke", held: "Hold", released: "Release" };

/** Revokes, holds or releases many: first told what would become of each, then done. */
export function Bulk({ issuers, onClose }: { issuers: IssuerName[]; onClose: () => void }): JSX.Element {
  const [issuer, setIssuer] = useState(issuers[0]!.id);
  const [kind, setKind] = useState<Action>("revoked");
  const [reason, setReason] = useState<string | null>(null);
  const [list, setList] = useState("");
  const [tried, setTried] = useState<BulkCounts | null>(null);
  const [done, setDone] = useState<BulkCounts | null>(null);
  const [progress, setProgress] = useState<BulkCounts | null>(null);
  const [refused, setRefused] = useState<Refused[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [typed, setTyped] = useState("");
  const [isBusy, setBusy] = useState(false);
  const id = useRef(`dashboard-${crypto.randomUUID()}`);
  const total = list.split(/[\n,]/).filter((line) => line.replace(/#.*/, "").trim()).length;
  const change = (set: () => void): void => {
    set();
    setTried(null);
    setDone(null);
    setTyped("");
    id.current = `dashboard-${crypto.randomUUID()}`; // another list is another job
  };

  const run = async (isDryRun: boolean): Promise<void> => {
    setBusy(true);
    setProblem(null);
    setProgress(null);
    setRefused([]);
    try {
      const query = new URLSearchParams({ id: id.current, kind, dryRun: String(isDryRun) });
      if (kind === "revoked" && reason) {
        query.set("reason", reason);
      }

      let summary: BulkCounts | null = null;
      const told: Refused[] = [];
      for await (const line of lines<Line>(await send("POST", `${issuerPath(issuer)}/bulk?${query}`, list, "text/plain"))) {
        if (line.progress) {
          setProgress(line.progress);
        }

        if (line.refused && told.length < maxShown) {
          told.push(line.refused);
        }

        summary = line.summary ?? summary;
      }

      setRefused(told);
      if (!summary) {
        throw new Problem(0, "The answer ended before its end", "Press the button again: what was done is not done twice.");
      }

      (isDryRun ? setTried : setDone)(summary);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "The connection was lost", "Press the button again: what was done is not done twice."));
    } finally {
      setBusy(false);
      setProgress(null);
    }
  };

  const shown = done ?? tried;
  const phrase = tried ? `${verbs[kind].toLowerCase()} ${tried.applied}` : "";
  return (
    <Dialog title="Many certificates at once" onClose={onClose}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); void run(!tried); }}>
        <div class="row">
          <label><span>Issuer</span><select value={issuer} disabled={isBusy} onChange={(event) => change(() => setIssuer(event.currentTarget.value))}>{issuers.map((one) => <option key={one.id}>{one.id}</option>)}</select></label>
          <label><span>What to do</span>
            <select value={kind} disabled={isBusy} onChange={(event) => change(() => setKind(event.currentTarget.value as Action))}>
              <option value="revoked">Revoke</option><option value="held">Hold</option><option value="released">Release</option>
            </select>
          </label>
          <ReasonField kind={kind} reason={reason} onChange={(value) => change(() => setReason(value))} />
        </div>
        <label><span>Serial numbers, one per line</span>
          <textarea rows={7} value={list} disabled={isBusy} spellcheck={false} placeholder={"5EED01\n5e:ed:02\ndecimal:6221059   # comments like this"} onInput={(event) => change(() => setList(event.currentTarget.value))} />
        </label>
        <div class="row">
          <label class="file"><span>or a file of them</span><input type="file" accept=".txt,.csv,text/plain" disabled={isBusy} onChange={(event) => void event.currentTarget.files?.[0]?.text().then((text) => change(() => setList(text)))} /></label>
        </div>
        <div role="status" aria-live="polite" class="stack">
          {isBusy && <><Meter value={progress?.serials ?? 0} max={Math.max(total, 1)} label="Serial numbers done" /><p>{count(progress?.serials ?? 0)} of {count(total)}</p></>}
          {shown && !isBusy && <Outcome counts={shown} kind={kind} isDone={done !== null} />}
        </div>
        {problem && <Failure problem={problem} />}
        {refused.length > 0 && !isBusy && (
          <Table label="Refused" head={<><th scope="col" class="num">Line</th><th scope="col">Serial number</th><th scope="col">Why</th></>}>
            {refused.map((one) => <tr key={one.line}><td class="num">{one.line}</td><th scope="row" class="serial">{one.serial ?? "–"}</th><td>{one.detail}</td></tr>)}
          </Table>
        )}
        {tried && !done && tried.applied > 0 && (
          <label><span>To go on, type <kbd>{phrase}</kbd></span><input value={typed} autocomplete="off" spellcheck={false} onInput={(event) => setTyped(event.currentTarget.value)} /></label>
        )}
        <div class="buttons">
          <button type="button" onClick={onClose}>{done ? "Close" : "Cancel"}</button>
          {!tried && <button type="submit" class="primary" disabled={isBusy || total === 0 || (kind === "revoked" && reason === null)}>{isBusy ? "Trying…" : "Try, and change nothing"}</button>}
          {tried && !done && <button type="submit" class="danger" disabled={isBusy || tried.applied === 0 || typed.trim() !== phrase}>{isBusy ? "Working…" : `${verbs[kind]} ${count(tried.applied)}`}</button>}
        </div>
      </form>
    </Dialog>
  );
}

function Outcome({ counts, kind, isDone }: { counts: BulkCounts; kind: Action; isDone: boolean }): JSX.Element {
  const others = [
    counts.duplicate > 0 && `${count(counts.duplicate)} were done before`,
    counts.malformed > 0 && `${count(counts.malformed)} cannot be read`,
    ...Object.entries(counts.refusals).map(([name, n]) => `${count(n)} refused: ${words(name)}`),
    counts.unissued > 0 && `of ${count(counts.unissued)} nothing was known before`,
  ].filter(Boolean);
  return (
    <Notice tone={counts.applied === 0 ? "warning" : isDone ? "ok" : "warning"}>
      <strong>{isDone ? `${count(counts.applied)} of ${count(counts.serials)} are ${kind}, and no older answer is given any more.` : `${count(counts.applied)} of ${count(counts.serials)} would be ${kind}. Nothing has been changed.`}</strong>
      {others.length > 0 && <p>{others.join("; ")}.</p>}
    </Notice>
  );
}
