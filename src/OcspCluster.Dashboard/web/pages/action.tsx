import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { get, issuerPath, post, Problem, type Clock, type EventOutcome } from "../api";
import { grouped, words } from "../format";
import { Dialog, Failure, Notice } from "../ui";

export type Action = "revoked" | "held" | "released";

// RFC 5280 §5.3.1, but for certificateHold, which is to hold, and removeFromCRL, which is to release.
const revocationReasons = ["", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn", "aACompromise"];

const notChosen = "?";

/** Has the operator choose: that no reason is given is a choice, too. */
export function ReasonField({ kind, reason, onChange }: { kind: Action; reason: string | null; onChange: (reason: string) => void }): JSX.Element | null {
  return kind !== "revoked" ? null : (
    <label><span>Reason</span>
      <select value={reason ?? notChosen} onChange={(event) => onChange(event.currentTarget.value)}>
        {reason === null && <option value={notChosen} disabled>Choose one</option>}
        {revocationReasons.map((one) => <option key={one} value={one}>{one ? words(one) : "none given"}</option>)}
      </select>
    </label>
  );
}

const titles: Record<Action, string> = { revoked: "Revoke this certificate", held: "Put this certificate on hold", released: "Release this certificate" };
const verbs: Record<Action, string> = { revoked: "Revoke", held: "Hold", released: "Release" };
const meanings: Record<Action, string> = {
  revoked: "It cannot be undone. As soon as it is acknowledged every relying party that asks is told revoked.",
  held: "Relying parties are told revoked, with the reason certificateHold, until it is released or revoked.",
  released: "Relying parties are told good again.",
};

/** Does one thing to one certificate, when its serial number's end was typed. */
export function ActionDialog({ issuer, serial, kind, onClose, onDone }: { issuer: string; serial: string; kind: Action; onClose: () => void; onDone: (position: number) => void }): JSX.Element {
  const [reason, setReason] = useState<string | null>(null);
  const [since, setSince] = useState("");
  const [typed, setTyped] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const id = useRef(`dashboard-${crypto.randomUUID()}`); // the same for every attempt: what was recorded is then a duplicate
  const at = useRef<string | null>(null);
  const mark = serial.slice(-6);
  const isConfirmed = (kind !== "revoked" || reason !== null) && typed.replace(/[\s:]/g, "").toUpperCase() === mark;

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isConfirmed) {
      return;
    }

    setBusy(true);
    setProblem(null);
    try {
      at.current ??= (await get<Clock>("/v1/clock")).now; // the authority's clock, which judges it
      const { outcomes } = await post<{ outcomes: EventOutcome[] }>(`${issuerPath(issuer)}/events`, {
        id: id.current, serial, kind, at: at.current,
        ...(kind === "revoked" && reason ? { reason } : {}),
        ...(kind !== "released" && since ? { invalidityDate: new Date(since).toISOString() } : {}),
      });
      const [outcome] = outcomes;
      if (outcome?.outcome === "refused") {
        throw new Problem(409, "It was refused", outcome.detail ?? outcome.reason ?? "");
      }

      onDone(outcome?.position ?? 0);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "Something went wrong", String(error)));
      setBusy(false);
    }
  };

  return (
    <Dialog title={titles[kind]} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <p class="serial strong">{grouped(serial)}</p>
        <Notice tone="warning">{meanings[kind]}</Notice>
        <ReasonField kind={kind} reason={reason} onChange={setReason} />
        {kind === "revoked" && reason === "keyCompromise" && (
          <label><span>The key is compromised since, if known</span><input type="datetime-local" value={since} onInput={(event) => setSince(event.currentTarget.value)} /></label>
        )}
        <label><span>To confirm, type the serial number's last characters: <kbd>{mark}</kbd></span>
          <input value={typed} autocomplete="off" spellcheck={false} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        {problem && <Failure problem={problem} />}
        <div class="buttons">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" class={kind === "released" ? "primary" : "danger"} disabled={!isConfirmed || isBusy}>{isBusy ? "Waiting for the acknowledgement…" : verbs[kind]}</button>
        </div>
      </form>
    </Dialog>
  );
}
