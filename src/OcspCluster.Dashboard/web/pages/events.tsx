import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, issuerPath, listIssuers, may, post, Problem, type Delivery, type FeedEvent, type Issuer, type Session } from "../api";
import { count, grouped, span, words } from "../format";
import { overview } from "../live";
import { useLoad } from "../load";
import { certificateLink } from "../router";
import { Badge, Card, Empty, Failure, Kind, Loading, Table, Time, type Tone } from "../ui";
import { Audit } from "./audit";

const kept = 500; // events that the page remembers
const shownAtMost = 100;
const lookBack = 50; // events of each issuer that are shown at first

export function Events({ session }: { session: Session }): JSX.Element {
  // The overview's stream told the positions a moment ago.
  const issuers = useLoad("positions", async (signal): Promise<Place[]> => {
    const names = await listIssuers(signal);
    return overview.value?.issuers ?? await Promise.all(names.map(({ id }) => get<Issuer>(issuerPath(id), signal)));
  });
  return (
    <div class="page">
      <h1>Events</h1>
      {issuers.problem && <Failure problem={issuers.problem} retry={issuers.reload} />}
      {!issuers.data && !issuers.problem && <Loading rows={8} />}
      {issuers.data && <><Feed issuers={issuers.data} /><Deliveries session={session} /><Audit issuers={issuers.data.map((issuer) => issuer.id)} /></>}
    </div>
  );
}

type Place = Pick<Issuer, "id" | "position">;

function Feed({ issuers }: { issuers: Place[] }): JSX.Element {
  const [events, setEvents] = useState<FeedEvent[]>([]); // newest first
  const [isLive, setLive] = useState(true);
  const [state, setState] = useState<"connecting" | "live" | "lost">("connecting");
  const [kind, setKind] = useState("");
  const [issuer, setIssuer] = useState("");
  const [text, setText] = useState("");
  const cursor = useRef(issuers.map((one) => `${one.id}:${Math.max(0, one.position - lookBack)}`).join(","));
  const waiting = useRef<FeedEvent[]>([]);

  useEffect(() => {
    if (!isLive) {
      return undefined;
    }

    let frame = 0;
    let drawn = 0;
    let source: EventSource | null = null;
    const flush = (): void => {
      frame = 0;
      drawn = performance.now();
      const fresh = waiting.current.reverse();
      waiting.current = [];
      setEvents((old) => [...fresh, ...old].slice(0, kept));
    };
    const open = (): void => {
      if (source || document.hidden) {
        return;
      }

      source = new EventSource(`/v1/events?after=${encodeURIComponent(cursor.current)}`);
      source.onopen = () => setState("live");
      source.onerror = () => setState("lost");
      source.onmessage = (message) => {
        const event = JSON.parse(message.data as string) as FeedEvent;
        cursor.current = event.cursor;
        waiting.current.push(event);
        if (waiting.current.length > kept) {
          waiting.current.shift();
        }

        frame ||= window.setTimeout(flush, Math.max(0, drawn + 250 - performance.now())); // many events a second are no reason to draw each
      };
    };
    const look = (): void => {
      if (document.hidden) {
        source?.close();
        source = null;
      } else {
        open();
      }
    };
    open();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      window.clearTimeout(frame);
      source?.close();
    };
  }, [isLive]);

  const shown = useMemo(() => {
    const wanted = text.replace(/[\s:]/g, "").toUpperCase();
    return events.filter((event) => (!kind || event.kind === kind) && (!issuer || event.issuer === issuer) && (!wanted || event.serial.includes(wanted) || event.id.toUpperCase().includes(wanted))).slice(0, shownAtMost);
  }, [events, kind, issuer, text]);
  return (
    <Card
      title="Feed"
      wide
      aside={
        <>
          <Badge tone={!isLive ? "neutral" : state === "live" ? "ok" : state === "lost" ? "critical" : "info"}>{!isLive ? "paused" : state === "live" ? "live" : state === "lost" ? "lost, trying again" : "connecting"}</Badge>
          <button type="button" class="small" aria-pressed={!isLive} onClick={() => setLive(!isLive)}>{isLive ? "Pause" : "Go on"}</button>
        </>
      }
    >
      <div class="row filters">
        {issuers.length > 1 && <label><span>Issuer</span><select value={issuer} onChange={(event) => setIssuer(event.currentTarget.value)}><option value="">all</option>{issuers.map(({ id }) => <option key={id}>{id}</option>)}</select></label>}
        <label><span>Kind</span><select value={kind} onChange={(event) => setKind(event.currentTarget.value)}><option value="">all</option>{["issued", "revoked", "held", "released"].map((one) => <option key={one}>{one}</option>)}</select></label>
        <label class="grow"><span>Serial number or id contains</span><input type="search" value={text} spellcheck={false} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} /></label>
      </div>
      {shown.length === 0
        ? <Empty title={events.length === 0 ? "No event yet" : "None of the events that are shown fits the filter"}>{events.length === 0 && "What the CA tells appears here when it is acknowledged."}</Empty>
        : (
          <Table label="Events" class="fixed-height" head={<><th scope="col" class="num">Position</th><th scope="col">Received</th><th scope="col">Event</th><th scope="col">Serial number</th>{issuers.length > 1 && <th scope="col">Issuer</th>}<th scope="col">Id</th></>}>
            {shown.map((event) => (
              <tr key={`${event.issuer} ${event.position}`}>
                <td class="num">{event.position}</td><td><Time at={event.receivedAt} /></td>
                <td><Kind kind={event.kind} /> {event.reason && <span class="faint">{words(event.reason)}</span>}</td>
                <th scope="row"><a class="serial" href={certificateLink(event.issuer, event.serial)}>{grouped(event.serial)}</a></th>
                {issuers.length > 1 && <td>{event.issuer}</td>}
                <td class="break"><code>{event.id}</code></td>
              </tr>
            ))}
          </Table>
        )}
      <p class="faint foot">{events.length > 0 && `The last ${count(events.length)} that this page has seen; at most ${shownAtMost} are shown.`} Journals end at {issuers.map((one) => `${one.id} ${count(Math.max(one.position, events.find((event) => event.issuer === one.id)?.position ?? 0))}`).join(", ")}.</p>
    </Card>
  );
}

const toneOfDelivery: Record<string, Tone> = { delivering: "ok", retrying: "warning", paused: "critical", elsewhere: "neutral" };

function Deliveries({ session }: { session: Session }): JSX.Element {
  const { data, problem, reload } = useLoad("webhooks", (signal) => get<{ webhooks: Delivery[] }>("/v1/webhooks", signal), 5000);
  const [failed, setFailed] = useState<Problem | null>(null);
  const resume = async (delivery: Delivery): Promise<void> => {
    try {
      setFailed(null);
      await post(`/v1/webhooks/${encodeURIComponent(delivery.name)}/issuers/${encodeURIComponent(delivery.issuer)}/resume`, undefined);
      reload();
    } catch (error) {
      setFailed(error as Problem);
    }
  };
  return (
    <Card title="Webhooks and purges" wide>
      {(failed ?? problem) && <Failure problem={(failed ?? problem)!} retry={reload} />}
      {!data && !problem && <Loading rows={2} />}
      {data?.webhooks.length === 0 && <Empty title="None is configured">Webhooks and caches to purge are told of every event once it is published.</Empty>}
      {data && data.webhooks.length > 0 && (
        <Table label="Webhooks and purges" head={<><th scope="col">Name</th><th scope="col">State</th><th scope="col">Issuer</th><th scope="col" class="num">Behind</th><th scope="col">Delivered to</th><th scope="col">Last success</th><th scope="col">Last failure</th></>}>
          {data.webhooks.map((one) => (
            <tr key={`${one.name} ${one.issuer}`}>
              <th scope="row">{one.name}<div class="faint">{one.kind}, {one.origin}</div></th>
              <td><Badge tone={toneOfDelivery[one.state] ?? "neutral"}>{one.state}</Badge>{(one.state === "paused" || one.state === "retrying") && may(session, "operator", one.issuer) && <> <button type="button" class="small" onClick={() => void resume(one)}>{one.state === "paused" ? "Resume" : "Try now"}</button></>}</td>
              <td>{one.issuer}</td><td class="num">{count(one.lagEntries)}{one.lagSeconds > 0 && <div class="faint">{span(one.lagSeconds)}</div>}</td>
              <td>position {count(one.cursor)} <span class="faint">of {count(one.position)}</span></td><td><Time at={one.lastSuccessAt} relative /></td>
              <td>{one.lastFailureAt ? <><Time at={one.lastFailureAt} relative /><div class="faint">{one.pausedBecause ?? one.lastFailure}</div></> : <span class="faint">none</span>}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
