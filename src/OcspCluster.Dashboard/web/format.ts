// Times, amounts and numbers as people read them. Fixed notations: an operator compares them across browsers.

const two = (n: number): string => String(n).padStart(2, "0");

/** 12:04:31, with the date where it is not today's; local time. */
export function when(time: string | number | Date | null | undefined): string {
  if (time === null || time === undefined) {
    return "–";
  }

  const date = new Date(time);
  const now = new Date();
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return date.toDateString() === now.toDateString() ? clock : `${day(date)} ${clock}`;
}

/** 2026-11-21, local. */
export function day(time: string | Date | null | undefined): string {
  if (time === null || time === undefined) {
    return "–";
  }

  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The whole of it in UTC, for titles and copies. */
export const utc = (time: string | number | Date): string => new Date(time).toISOString().replace(".000Z", "Z");

/** A length of time in its two largest units. */
export function span(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return "–";
  }

  const s = Math.abs(seconds);
  const sign = seconds < 0 ? "−" : "";
  if (s < 0.001) {
    return s === 0 ? "0 s" : `${sign}${Math.round(s * 1e6)} µs`;
  }

  if (s < 1) {
    return `${sign}${trim(s * 1000)} ms`;
  }

  if (s < 60) {
    return `${sign}${trim(s)} s`;
  }

  const parts: [number, string][] = [[31_557_600, "y"], [86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const i = parts.findIndex(([length]) => s >= length);
  const [first, second] = [parts[i]!, parts[i + 1]];
  const whole = Math.floor(s / first[0]);
  const rest = second ? Math.floor((s % first[0]) / second[0]) : 0;
  return `${sign}${whole} ${first[1]}${rest && second ? ` ${rest} ${second[1]}` : ""}`;
}

/** Seconds of a duration that the API writes as [d.]hh:mm:ss[.fffffff]. */
export function seconds(duration: string | null | undefined): number | null {
  const match = /^(-)?(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(duration ?? "");
  if (!match) {
    return null;
  }

  const value = Number(match[2] ?? 0) * 86400 + Number(match[3]) * 3600 + Number(match[4]) * 60 + Number(match[5]);
  return match[1] ? -value : value;
}

/** "3 min ago" or "in 4 d 2 h". */
export function ago(time: string | null | undefined, now: number): string {
  if (!time) {
    return "–";
  }

  const s = Math.round((now - Date.parse(time)) / 1000);
  return Math.abs(s) < 1 ? "now" : s >= 0 ? `${span(s)} ago` : `in ${span(-s)}`;
}

/** With a thin space between thousands. */
export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A rate, to three digits. */
export function rate(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : n >= 1000 ? count(n) : trim(n);
}

export function percent(part: number, whole: number): string {
  return whole > 0 ? `${trim((100 * part) / whole)} %` : "–";
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) {
    return "–";
  }

  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  let value = n;
  while (value >= 1024 && i < units.length - 1) {
    value /= 1024;
    i++;
  }

  return `${trim(value)} ${units[i]}`;
}

/** A serial number or a digest in groups, for the eye. */
export const grouped = (hex: string): string => hex.replace(/(..)(?=.)/g, "$1:");

const spelled: Record<string, string> = { cACompromise: "CA compromise", aACompromise: "AA compromise", removeFromCRL: "remove from CRL" };

/** "keyCompromise" as "key compromise". */
export const words = (name: string): string => spelled[name] ?? name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

function trim(n: number): string {
  return n === 0 ? "0" : n < 0.1 ? n.toPrecision(1) : n < 10 ? String(Number(n.toFixed(1))) : n < 100 ? String(Number(n.toFixed(1))) : String(Math.round(n));
}
