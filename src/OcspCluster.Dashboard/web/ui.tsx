import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Problem } from "./api";
import { ago, utc, when, words } from "./format";
import { now } from "./live";
import { useStore } from "./store";

// Small parts. What a colour says, a word or a sign says, too.

const paths = {
  ok: "M20 6 9 17l-5-5",
  warning: "M12 3 2 20h20zM12 10v4M12 17.2v.1",
  critical: "M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8zM9 9l6 6M15 9l-6 6",
  overview: "M3 13h4l3-9 4 16 3-7h4",
  cluster: "M5 4h14v6H5zM5 14h14v6H5zM8.5 7v.1M8.5 17v.1",
  certificates: "M6 3h9l4 4v14H6zM9.5 12l2 2 4-4",
  events: "M4 6h16M4 12h16M4 18h10",
  issuers: "M14.5 9.5a4.5 4.5 0 1 0-3.2 4.3L13 15.5h2v2h2v2h3.5v-3l-6.3-6.3M8.5 8v.1",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21",
  theme: "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  leave: "M14 4h5v16h-5M3 12h11M10 8l4 4-4 4",
  close: "M6 6l12 12M18 6 6 18",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d={paths[name]} /></svg>;
}

export type Tone = "ok" | "warning" | "critical" | "neutral" | "info";

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }): JSX.Element {
  return <span class={`badge ${tone}`}>{children}</span>;
}

const toneOfStatus: Record<string, Tone> = { good: "ok", revoked: "critical", held: "warning", unauthorized: "neutral", unknown: "warning", tryLater: "warning", internalError: "critical" };

export const Status = ({ status }: { status: string }): JSX.Element => <Badge tone={toneOfStatus[status] ?? "neutral"}>{words(status)}</Badge>;

const toneOfKind: Record<string, Tone> = { issued: "info", revoked: "critical", held: "warning", released: "ok" };

export const Kind = ({ kind }: { kind: string }): JSX.Element => <Badge tone={toneOfKind[kind] ?? "neutral"}>{kind}</Badge>;

/** A time, with the whole of it in UTC in its title. */
export function Time({ at, relative }: { at: string | null | undefined; relative?: boolean }): JSX.Element {
  if (!at) {
    return <span class="faint">–</span>;
  }

  return relative ? <Relative at={at} /> : <time dateTime={at} title={utc(at)}>{when(at)}</time>;
}

function Relative({ at }: { at: string }): JSX.Element {
  const current = useStore(now);
  return <time dateTime={at} title={utc(at)}>{ago(at, current)}</time>;
}

interface CardProps {
  title: string;
  aside?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

export function Card({ title, aside, wide, children }: CardProps): JSX.Element {
  const id = useId();
  return (
    <section class={wide ? "card wide" : "card"} aria-labelledby={id}>
      <header class="card-head"><h2 id={id}>{title}</h2>{aside && <div class="aside">{aside}</div>}</header>
      {children}
    </section>
  );
}

/** A table that scrolls by itself where it is too wide, also by the keyboard. */
export function Table({ label, head, children, class: kind }: { label: string; head: ComponentChildren; children: ComponentChildren; class?: string }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <table class={kind}><thead><tr>{head}</tr></thead><tbody>{children}</tbody></table>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return <div class="empty"><p class="empty-title">{title}</p>{children && <p>{children}</p>}</div>;
}

export function Loading({ rows = 3 }: { rows?: number }): JSX.Element {
  return <div class="loading" role="status"><span class="sr">Loading</span>{Array.from({ length: rows }, (_, i) => <span key={i} class="bar" />)}</div>;
}

export function Failure({ problem, retry }: { problem: Problem; retry?: () => void }): JSX.Element {
  return (
    <div class="notice critical" role="alert">
      <Icon name="critical" />
      <div><strong>{problem.title}</strong><p>{problem.detail}</p>{retry && <button type="button" class="quiet" onClick={retry}>Try again</button>}</div>
    </div>
  );
}

export function Notice({ tone, children, live }: { tone: "ok" | "warning" | "critical"; children: ComponentChildren; live?: boolean }): JSX.Element {
  return <div class={`notice ${tone}`} role={live ? "status" : undefined}><Icon name={tone} /><div>{children}</div></div>;
}

export function Facts({ children }: { children: ComponentChildren }): JSX.Element {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

/** How much of something is used. */
export function Meter({ value, max, label, tone = "info" }: { value: number; max: number; label: string; tone?: Tone }): JSX.Element {
  const part = max > 0 ? Math.min(1, Math.max(0, value / max)) : 0;
  return (
    <div class="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={max} aria-valuenow={Math.min(value, max)}>
      <span class={tone} style={{ width: `${100 * part}%` }} />
    </div>
  );
}

/** A dialog over the page: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    ref.current!.showModal();
    return () => opener?.focus?.();
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); onClose(); }}>
      <header class="card-head"><h2 id={id}>{title}</h2><button type="button" class="plain" aria-label="Close" onClick={onClose}><Icon name="close" /></button></header>
      {children}
    </dialog>
  );
}

/** Text that one click copies. */
export function Copy({ text, label }: { text: string; label: string }): JSX.Element {
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      window.setTimeout(() => setDone(false), 1500);
    } catch {
      setDone(false); // not allowed here: the text is on the page to be selected
    }
  };
  return <button type="button" class="quiet small" onClick={() => void copy()}>{done ? "Copied" : label}</button>;
}

/** Some of the certificates' states side by side, as one bar. */
export function Split({ parts, label }: { parts: [Tone, number, string][]; label: string }): JSX.Element {
  const all = parts.reduce((sum, [, n]) => sum + n, 0);
  return (
    <div class="split" role="img" aria-label={label}>
      {all > 0 && parts.filter(([, n]) => n > 0).map(([tone, n, name]) => <span key={name} class={tone} style={{ flexGrow: n / all, flexBasis: "3px" }} />)}
    </div>
  );
}
