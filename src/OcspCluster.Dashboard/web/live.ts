import type { History, Overview, SeriesName } from "./api";
import { get } from "./api";
import { Store } from "./store";

// One stream a page, and none while nobody looks at it: a browser has few connections to a host, and the host has better things to do.

export type Link = "connecting" | "live" | "lost";

export const overview = new Store<Overview | null>(null);
export const link = new Store<Link>("connecting");

/** The wall clock as the host tells it, in ms: the browser's may be wrong. */
export const now = new Store(Date.now());

/** What the charts are drawn from: seconds since 1970, and a value for each series. */
export interface Points {
  times: number[];
  values: Record<SeriesName, (number | null)[]>;
}

const names: SeriesName[] = ["requests", "good", "revoked", "other", "p50", "p99", "signatures", "backlog", "events"];
const tailSeconds = 300;

export const noPoints = (): Points => ({ times: [], values: Object.fromEntries(names.map((name) => [name, []])) as unknown as Points["values"] });

/** One point a second for the last minutes, as long as this page has looked. */
export const tail = new Store<Points>(noPoints());

let source: EventSource | null = null;
let offset = 0;
let isWanted = false;
let retry = 0;
let whenRefused: () => void = () => {};

export function startLive(refused: () => void): void {
  whenRefused = refused;
  isWanted = true;
  connect();
}

export function stopLive(): void {
  isWanted = false;
  close();
  overview.set(null);
  tail.set(noPoints());
  link.set("connecting");
}

function close(): void {
  window.clearTimeout(retry);
  source?.close();
  source = null;
}

function connect(): void {
  if (!isWanted || source || document.hidden) {
    return;
  }

  source = new EventSource("/v1/overview/stream");
  source.addEventListener("overview", (event) => take(JSON.parse((event as MessageEvent<string>).data) as Overview));
  source.addEventListener("error", () => {
    link.set("lost");
    if (source?.readyState === EventSource.CLOSED) {
      close();
      whenRefused(); // it was answered, and not with a stream: perhaps the session is over
      retry = window.setTimeout(connect, 3000);
    }
  });
}

function take(value: Overview): void {
  offset = Date.parse(value.at) - Date.now();
  overview.set(value);
  link.set("live");
  append(value);
}

function append(value: Overview): void {
  const time = Date.parse(value.at) / 1000;
  const old = tail.value;
  if (old.times.length > 0 && old.times[old.times.length - 1]! >= time) {
    return;
  }

  const { good = 0, revoked = 0 } = value.requests.byOutcome;
  const sample: Record<SeriesName, number | null> = {
    requests: value.requests.perSecond, good, revoked, other: Math.max(0, value.requests.perSecond - good - revoked),
    p50: value.requests.latency.p50, p99: value.requests.latency.p99, signatures: value.signing.perSecond, backlog: value.refresh.backlog, events: value.feed.eventsPerSecond,
  };
  const from = old.times.findIndex((one) => one > time - tailSeconds);
  const cut = from < 0 ? old.times.length : from;
  tail.set({
    times: [...old.times.slice(cut), time],
    values: Object.fromEntries(names.map((name) => [name, [...old.values[name].slice(cut), sample[name]]])) as unknown as Points["values"],
  });
}

/** The last so many seconds as the host kept them. */
export async function loadHistory(window: number, signal: AbortSignal): Promise<Points> {
  const history = await get<History>(`/v1/overview/history?window=${window}`, signal);
  const points = noPoints();
  const from = Date.parse(history.from) / 1000;
  const length = history.series.requests?.length ?? 0;
  points.times = Array.from({ length }, (_, i) => from + i * history.interval);
  for (const name of names) {
    points.values[name] = history.series[name] ?? points.times.map(() => null);
  }

  return points;
}

/** What was kept, and behind it what this page saw since; of the last so many seconds. Where both know, the finer one. */
export function join(kept: Points | null, recent: Points, window: number): Points {
  const end = recent.times.at(-1) ?? kept?.times.at(-1) ?? 0;
  const useRecent = window <= tailSeconds ? recent.times[0] ?? Infinity : kept?.times.at(-1) ?? 0;
  const joined = noPoints();
  for (const points of [kept, recent]) {
    points?.times.forEach((time, i) => {
      if (time < end - window || (points === kept ? time >= useRecent && recent.times.length > 0 && window <= tailSeconds : window > tailSeconds && time <= useRecent)) {
        return;
      }

      joined.times.push(time);
      for (const name of names) {
        joined.values[name].push(points.values[name][i] ?? null);
      }
    });
  }

  return joined;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    close();
  } else {
    connect();
  }
});

window.setInterval(() => {
  if (!document.hidden) {
    now.set(Date.now() + offset);
  }
}, 1000);
