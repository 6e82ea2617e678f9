// The public admin API, and nothing else.

export interface Session { who: string | null; scopes: string[]; endsAt: string | null }
export interface IssuerName { id: string; subject: string }
export interface CertificateStatus {
  serial: string; status: "good" | "revoked" | "held"; revocationTime: string | null; reason: string | null;
  invalidityDate: string | null; notAfter: string | null; recordedAt: string | null; position: number;
}
export interface HistoryEntry {
  position: number; id: string; kind: string; at: string; reason: string | null; invalidityDate: string | null;
  notAfter: string | null; receivedAt: string; credential: string | null; remoteAddress: string | null;
}
export interface CachedResponse { hash: string; producedAt: string; thisUpdate: string; nextUpdate: string; eTag: string; response: string }
export interface Certificate { serial: string; serialDecimal: string; status: CertificateStatus; history: HistoryEntry[]; responses: CachedResponse[] }
export interface Source {
  kind: string; location: string; number: string | null; nextUpdate: string | null; lastLook: string | null; lastSuccess: string | null;
  error: string | null; problem: string | null; failures: number; applied: number;
}
export interface Issuer {
  id: string; position: number; counts: { good: number; revoked: number; held: number };
  certificates: { subject: string; notBefore: string; notAfter: string; sha256: string; pem: string }[];
  policy: Record<string, string | number | boolean>; sources: Source[];
}
export interface Credential {
  subject: string; sha256: string; isDelegated: boolean; signatureAlgorithm: string; notBefore: string; notAfter: string; role: string; isRemote: boolean;
  concurrency: number; running: number; waiting: number; isFailing: boolean; lastError: string | null; lastErrorAt: string | null;
}
export interface Credentials { credentials: Credential[]; fileErrors: string[]; warnings: string[]; replacements: number }
export interface Refresh {
  presign: string; presignHashes: string[]; signaturesPerSecond: number; tracked: number; backlog: number; untracked: number;
  timeToFirstExpiry: string | null; isResting: boolean; isComplete: boolean; signatures: number;
}
export interface Resign { state: "none" | "running" | "complete"; total: number; done: number; startedAt: string | null; remaining: string | null; expectedAt: string | null }
export interface Clock { now: string; state: string; problem: string | null }
export interface Finding { code: string; severity: "warning" | "critical"; message: string; since: string | null; cure: string | null }
export interface Quantiles { p50: number | null; p99: number | null }
export interface OverviewIssuer {
  id: string; name: string; certificates: { good: number; revoked: number; held: number }; responderCertificateNotAfter: string | null;
  lastEvent: string | null; position: number; policy: Record<string, string | number | boolean> | null;
}
export interface Overview {
  at: string; node: string; role: string; version: string; state: "ok" | "warning" | "critical"; since: string | null; findings: Finding[];
  requests: { perSecond: number; byOutcome: Record<string, number>; latency: Quantiles; bySource: Record<string, number> };
  signing: { perSecond: number; budgetPerSecond: number | null; queue: number };
  refresh: { backlog: number; firstExpiry: string | null };
  feed: {
    eventsPerSecond: number; acknowledgement: Quantiles; stalenessBound: number | null; lag: number | null;
    deliveries: { name: string; kind: string; position: number; behind: number; failingSince: string | null }[];
  };
  issuers: OverviewIssuer[]; nodes: number;
}
export type SeriesName = "requests" | "good" | "revoked" | "other" | "p50" | "p99" | "signatures" | "backlog" | "events";
export interface History { interval: number; from: string; series: Record<SeriesName, (number | null)[]> }
export interface ClusterNode {
  name: string; address: string | null; isSelf: boolean; role: string | null; state: string; version: string | null; startedAt: string | null;
  leases: { issuer: string; secondsLeft: number }[]; activations: Record<string, number>;
  requestsPerSecond?: number | null; memoryBytes?: number | null;
}
export interface Cluster {
  cluster: string | null; store: { kind: string; isReachable: boolean; isDurable: boolean; takesEvents: boolean; description: string };
  nodes: ClusterNode[]; happened?: { at: string; node: string; what: string; detail: string | null }[];
}
export interface Explanation {
  serial: string; issuer: string; hash: string; answer: string; because: string[]; event: HistoryEntry | null;
  signer: { subject: string; keyId: string; notAfter: string; algorithm: string } | null; source: string;
  cached: { thisUpdate: string; nextUpdate: string; producedAt: string; renewedFrom: string; position: number; eTag: string; bytes: string } | null;
  node: string; lease: { isHeld: boolean; secondsLeft: number } | null; others: { node: string; holds: boolean | null; position: number | null }[] | null;
}
export interface FeedEvent {
  issuer: string; position: number; cursor: string; id: string; serial: string; kind: string; at: string; reason?: string; receivedAt: string;
  status: { status: string; reason?: string };
}
export interface Delivery {
  name: string; kind: string; issuer: string; origin: string; state: string; cursor: number; position: number; lagEntries: number; lagSeconds: number;
  lastSuccessAt: string | null; lastFailureAt: string | null; lastFailure: string | null; failures: number; nextAttemptAt: string | null; pausedBecause: string | null;
}
export interface EventOutcome { index: number; id: string; outcome: "applied" | "duplicate" | "refused"; reason?: string; detail?: string; position: number }
export interface BulkCounts {
  serials: number; applied: number; duplicate: number; refused: number; malformed: number; unissued: number; position: number;
  refusals: Record<string, number>; dryRun: boolean; samples?: Record<string, string[]>;
}

/** What the API says when it does not do as it was asked (RFC 9457), or that it could not be reached (status 0). */
export class Problem extends Error {
  constructor(readonly status: number, readonly title: string, readonly detail: string) {
    super(detail || title);
  }
}

let whenNobody: () => void = () => {};

/** Who wants to know that the session has ended. */
export function onNobody(listener: () => void): void {
  whenNobody = listener;
}

/** Asks; throws a Problem for everything but 2xx. */
export async function send(method: string, path: string, body?: BodyInit, contentType?: string, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = method === "GET" ? {} : { "X-OCSP-CSRF": "1" };
  if (contentType) {
    headers["Content-Type"] = contentType;
  }

  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, body: body ?? null, credentials: "same-origin", cache: "no-store", redirect: "error", signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }

    throw new Problem(0, "The responder cannot be reached", "It may be restarting, or the connection to it is gone.");
  }

  if (answer.ok) {
    return answer;
  }

  const problem = await answer.json().catch(() => null) as { title?: string; detail?: string } | null;
  if (answer.status === 401 && path !== "/session") {
    whenNobody();
  }

  throw new Problem(answer.status, problem?.title ?? `Status ${answer.status}`, problem?.detail ?? answer.statusText);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await (await send("GET", path, undefined, undefined, signal)).json() as T;
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await send("POST", path, JSON.stringify(body), "application/json");
  return answer.status === 204 ? undefined as T : await answer.json() as T;
}

/** The lines of an NDJSON answer, as they come. */
export async function* lines<T>(answer: Response): AsyncGenerator<T> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }

    const parts = (rest + value).split("\n");
    rest = parts.pop()!;
    for (const part of parts) {
      if (part) {
        yield JSON.parse(part) as T;
      }
    }
  }

  if (rest.trim()) {
    yield JSON.parse(rest) as T;
  }
}

let known: { at: number; issuers: IssuerName[] } | null = null;

/** The issuers within the scopes. They change with a restart: what was told a moment ago will do. */
export async function listIssuers(signal: AbortSignal): Promise<IssuerName[]> {
  if (!known || performance.now() - known.at > 30_000) {
    known = { at: performance.now(), issuers: (await get<{ issuers: IssuerName[] }>("/v1/issuers", signal)).issuers };
  }

  return known.issuers;
}

/** Another key may have other scopes. */
export function forgetIssuers(): void {
  known = null;
}

/** Whether the scopes allow it: of one issuer, or of any where none is named. */
export function may(session: Session, action: "read" | "feed" | "operator", issuer?: string): boolean {
  return session.scopes.some((scope) => {
    const [what, whose] = scope.split(":");
    return (what === "operator" || what === action) && (issuer === undefined || whose === "*" || whose === issuer);
  });
}

export const issuerPath = (issuer: string): string => `/v1/issuers/${encodeURIComponent(issuer)}`;
