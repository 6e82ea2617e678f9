import type { ComponentChildren, JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Overview, OverviewIssuer } from "../api";
import { Chart } from "../chart";
import { count, percent, rate, span, utc, when, words } from "../format";
import { join, link, loadHistory, now, overview, tail } from "../live";
import { useLoad } from "../load";
import { useStore } from "../store";
import { useTruth } from "../truth";
import { Card, Empty, Failure, Icon, Loading, Meter, Split, Table, Time } from "../ui";

const windows: [number, string][] = [[300, "5 min"], [3600, "1 h"], [21600, "6 h"]];

export function OverviewPage(): JSX.Element {
  const value = useStore(overview);
  return (
    <div class="page">
      <h1 class="sr">Overview</h1>
      <Banner value={value} />
      {value ? <Tiles value={value} /> : <Loading rows={4} />}
      <Charts />
      {value && <IssuerTable issuers={value.issuers} />}
    </div>
  );
}

function Banner({ value }: { value: Overview | null }): JSX.Element {
  const truth = useTruth();
  const current = useStore(now);
  const connection = useStore(link);
  const findings = connection === "lost" ? [] : value?.findings ?? [];
  return (
    <section class={`banner ${truth.tone}`} aria-label="State">
      <div class="banner-line">
        {truth.tone !== "neutral" && <span class="banner-sign"><Icon name={truth.tone} /></span>}
        <div>
          <p class="banner-text" role="status" aria-live="polite">{truth.text}</p>
          <p class="banner-since">
            {truth.since ? <>since <time dateTime={truth.since} title={utc(truth.since)}>{when(truth.since)}</time>, for {span(Math.max(1, Math.floor((current - Date.parse(truth.since)) / 1000)))}</> : "asking the responder"}
            {value && <> · {value.node}, {value.role}{value.nodes > 1 ? ` of ${value.nodes} nodes` : ""}, {value.version.split("+")[0]}</>}
          </p>
        </div>
      </div>
      {findings.length === 1 && findings[0]!.cure && <p class="cure only">{findings[0]!.cure}</p>}
      {findings.length > 1 && (
        <ul class="findings">
          {findings.map((finding) => (
            <li key={finding.code + finding.message} class={finding.severity}>
              <Icon name={finding.severity} />
              <div>
                <p><strong>{finding.message}</strong> {finding.since && <span class="faint">since <Time at={finding.since} /></span>}</p>
                {finding.cure && <p class="cure">{finding.cure}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Tile({ name, value, unit, children }: { name: string; value: string; unit?: string; children?: ComponentChildren }): JSX.Element {
  return <div class="tile"><dt>{name}</dt><dd><span class="figure">{value}{unit && <small>{unit}</small>}</span>{children && <div class="under">{children}</div>}</dd></div>;
}

function Tiles({ value }: { value: Overview }): JSX.Element {
  const { requests, signing, refresh, feed } = value;
  const { cache = 0, kept = 0, signed = 0 } = requests.bySource;
  const answered = Object.values(requests.bySource).reduce((sum, n) => sum + n, 0);
  const expiry = refresh.firstExpiry ? (Date.parse(refresh.firstExpiry) - Date.parse(value.at)) / 1000 : null;
  const budget = signing.budgetPerSecond ?? 0;
  const behind = feed.deliveries.filter((delivery) => delivery.behind > 0);
  return (
    <dl class="tiles">
      <Tile name="Requests" value={rate(requests.perSecond)} unit="/s"><Outcomes by={requests.byOutcome} /></Tile>
      <Tile name="Latency, p99" value={span(requests.latency.p99)}>p50 {span(requests.latency.p50)}</Tile>
      <Tile name="From the cache" value={percent(cache, answered)}>{rate(kept)}/s kept, {rate(signed)}/s signed</Tile>
      <Tile name="Signatures" value={rate(signing.perSecond)} unit="/s">
        {budget > 0 && <Meter value={signing.perSecond} max={budget} label="Signatures per second against the budget" tone={signing.perSecond > 0.9 * budget ? "warning" : "info"} />}
        {budget > 0 ? `of ${rate(budget)}/s, ` : ""}{count(signing.queue)} waiting
      </Tile>
      <Tile name="To be refreshed" value={count(refresh.backlog)}>{expiry === null ? "nothing can expire" : expiry < 0 ? `an answer expired ${span(-expiry)} ago` : `first answer ends in ${span(expiry)}`}</Tile>
      <Tile name="Acknowledgement, p99" value={span(feed.acknowledgement.p99)}>p50 {span(feed.acknowledgement.p50)}</Tile>
      <Tile name="Staleness, at most" value={span(feed.stalenessBound)}>from an event to the last answer without it</Tile>
      <Tile name="Events" value={rate(feed.eventsPerSecond)} unit="/s">
        {feed.deliveries.length === 0 ? "no webhooks" : behind.length === 0 ? "all webhooks are up to date" : `${behind.length} of ${feed.deliveries.length} webhooks behind, by ${span(feed.lag)}`}
      </Tile>
    </dl>
  );
}

function Outcomes({ by }: { by: Record<string, number> }): JSX.Element {
  const shown = Object.entries(by).filter(([, n]) => n > 0).sort(([, one], [, other]) => other - one);
  return <>{shown.length === 0 ? "nobody asks" : shown.slice(0, 3).map(([name, n]) => `${rate(n)} ${words(name)}`).join(", ")}</>;
}

function Charts(): JSX.Element {
  const [length, setLength] = useState(300);
  const kept = useLoad(`history ${length}`, (signal) => loadHistory(length, signal), length > 300 ? 30_000 : 0);
  const recent = useStore(tail);
  const points = useMemo(() => join(kept.data, recent, length), [kept.data, recent, length]);
  const outcomes = useMemo(() => [
    { name: "good", color: "--chart-good", values: points.values.good },
    { name: "revoked", color: "--chart-revoked", values: points.values.revoked },
    { name: "other", color: "--chart-other", values: points.values.other },
  ], [points]);
  const latency = useMemo(() => [
    { name: "p99", color: "--chart-other", values: points.values.p99 },
    { name: "p50", color: "--chart-good", values: points.values.p50 },
  ], [points]);
  const signing = useMemo(() => [{ name: "signatures", color: "--chart-sign", values: points.values.signatures }], [points]);
  const events = useMemo(() => [{ name: "events", color: "--chart-event", values: points.values.events }], [points]);
  return (
    <Card
      title="The last hours"
      wide
      aside={
        <div class="choice" role="group" aria-label="Time shown">
          {windows.map(([s, name]) => <button key={s} type="button" aria-pressed={s === length} onClick={() => setLength(s)}>{name}</button>)}
        </div>
      }
    >
      {kept.problem && <Failure problem={kept.problem} retry={kept.reload} />}
      <div class="charts">
        <Chart title="Answers per second" times={points.times} lines={outcomes} stacked format={(n) => rate(n)} window={length} />
        <Chart title="Latency" times={points.times} lines={latency} format={(n) => span(n)} window={length} />
        <Chart title="Signatures per second" times={points.times} lines={signing} format={(n) => rate(n)} window={length} />
        <Chart title="Events per second" times={points.times} lines={events} format={(n) => rate(n)} window={length} />
      </div>
    </Card>
  );
}

function IssuerTable({ issuers }: { issuers: OverviewIssuer[] }): JSX.Element {
  return (
    <Card title="Issuers" wide>
      {issuers.length === 0 ? <Empty title="No issuer is within your scopes" /> : (
        <Table
          label="Issuers"
          head={<><th scope="col">Issuer</th><th scope="col">Certificates</th><th scope="col" class="num">Good</th><th scope="col" class="num">Held</th><th scope="col" class="num">Revoked</th><th scope="col">Responder ends</th><th scope="col">Last event</th><th scope="col">Policy</th></>}
        >
          {issuers.map((issuer) => {
            const { good, held, revoked } = issuer.certificates;
            return (
              <tr key={issuer.id}>
                <th scope="row"><a href={`#/issuers/${encodeURIComponent(issuer.id)}`}>{issuer.id}</a><div class="faint clip" title={issuer.name}>{issuer.name}</div></th>
                <td class="split-cell"><Split label={`${good} good, ${held} held, ${revoked} revoked`} parts={[["ok", good, "good"], ["warning", held, "held"], ["critical", revoked, "revoked"]]} /></td>
                <td class="num">{count(good)}</td><td class="num">{count(held)}</td><td class="num">{count(revoked)}</td>
                <td><Time at={issuer.responderCertificateNotAfter} relative /></td>
                <td><Time at={issuer.lastEvent} relative /><div class="faint">position {count(issuer.position)}</div></td>
                <td class="faint">{policyText(issuer)}</td>
              </tr>
            );
          })}
        </Table>
      )}
    </Card>
  );
}

function policyText({ policy }: OverviewIssuer): string {
  if (!policy) {
    return "–";
  }

  const parts = [policy["inventory"] === "Known" ? "issued known" : "revoked only", `never issued: ${words(String(policy["unissued"] ?? ""))}`];
  return parts.join(", ");
}
