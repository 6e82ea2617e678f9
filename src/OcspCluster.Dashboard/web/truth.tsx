import type { JSX } from "preact";
import type { Overview } from "./api";
import { span, when } from "./format";
import { link, now, overview } from "./live";
import { useStore } from "./store";
import { Icon, type Tone } from "./ui";

export interface Truth {
  tone: Extract<Tone, "ok" | "warning" | "critical"> | "neutral";
  text: string;
  since: string | null;
}

/** One sentence: whether every relying party gets right and fresh answers, or what is wrong. */
export function truthOf(value: Overview | null, isLost: boolean, current: number): Truth {
  if (isLost) {
    return { tone: "critical", text: value ? `No word from the responder since ${when(value.at)}` : "The responder gives no word", since: value?.at ?? null };
  }

  if (!value) {
    return { tone: "neutral", text: "Looking", since: null };
  }

  const age = (current - Date.parse(value.at)) / 1000;
  if (age > 10) {
    return { tone: "critical", text: `No word from the responder for ${span(Math.floor(age))}`, since: value.at };
  }

  if (value.state === "ok") {
    return { tone: "ok", text: "All well", since: value.since };
  }

  const [first, ...more] = [...value.findings].sort((one, other) => rank(other.severity) - rank(one.severity));
  const text = first ? `${first.message.replace(/\.$/, "")}${more.length > 0 ? `, and ${more.length} more` : ""}` : "Something is wrong";
  return { tone: value.state === "critical" ? "critical" : "warning", text, since: first?.since ?? value.since };
}

const rank = (severity: string): number => severity === "critical" ? 1 : 0;

export function useTruth(): Truth {
  const value = useStore(overview);
  const connection = useStore(link);
  const current = useStore(now);
  return truthOf(value, connection === "lost", current);
}

/** The truth in the page's head, on every page. */
export function TruthLine(): JSX.Element {
  const { tone, text } = useTruth();
  return (
    <a class={`truth-line ${tone}`} href="#/overview" title={text}>
      {tone !== "neutral" && <Icon name={tone} />}
      <span role="status" aria-live="polite">{text}</span>
    </a>
  );
}
