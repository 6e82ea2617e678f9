import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { forgetIssuers, get, may, onNobody, send, type Session } from "./api";
import { startLive, stopLive } from "./live";
import { later } from "./later";
import { Login } from "./pages/login";
import { place } from "./router";
import { useStore } from "./store";
import { applyTheme, ThemeSwitch } from "./theme";
import { TruthLine } from "./truth";
import { Icon, Loading, type IconName } from "./ui";

const pages: [string, string, IconName][] = [
  ["overview", "Overview", "overview"],
  ["cluster", "Cluster", "cluster"],
  ["certificates", "Certificates", "certificates"],
  ["events", "Events", "events"],
  ["issuers", "Issuers", "issuers"],
];

// The overview's code, with the charts, is asked for at once, the rest when there is nothing better to do: no click waits for code.
const OverviewPage = later(async () => (await import("./pages/overview")).OverviewPage);
const ClusterPage = later(async () => (await import("./pages/cluster")).ClusterPage);
const Certificates = later(async () => (await import("./pages/certificates")).Certificates);
const Certificate = later(async () => (await import("./pages/certificate")).Certificate);
const Events = later(async () => (await import("./pages/events")).Events);
const Issuers = later(async () => (await import("./pages/issuers")).Issuers);

applyTheme();

export function App(): JSX.Element {
  const [session, setSession] = useState<Session | null>(null);
  const [isKnown, setKnown] = useState(false);
  const [ended, setEnded] = useState(false);

  const look = async (): Promise<Session | null> => {
    const found = await get<Session>("/session").catch(() => null);
    return found?.who ? found : null;
  };
  const leave = (hasEnded: boolean): void => {
    stopLive();
    forgetIssuers();
    setEnded(hasEnded);
    setSession(null);
  };

  useEffect(() => {
    void OverviewPage.prepare();
    void look().then((found) => {
      setSession(found);
      setKnown(true);
    });
  }, []);

  useEffect(() => {
    if (!session) {
      return undefined;
    }

    onNobody(() => leave(true));
    window.setTimeout(() => [Certificates, Certificate, Events, Issuers, ClusterPage].forEach((one) => void one.prepare()), 500);
    if (may(session, "read")) {
      startLive(() => void get<Session>("/session").then((found) => {
        if (!found.who) {
          leave(true);
        }
      }).catch(() => {})); // the host is away: the next attempt will tell
    }

    // It ends when it ends, also when nothing is asked for meanwhile.
    const left = session.endsAt ? Math.min(Date.parse(session.endsAt) - Date.now(), 2 ** 31 - 1) : 2 ** 31 - 1;
    const timer = window.setTimeout(() => void look().then((found) => found ? undefined : leave(true)), Math.max(1000, left + 500));
    return () => window.clearTimeout(timer);
  }, [session]);

  if (!isKnown) {
    return <main class="alone"><Loading /></main>;
  }

  return session
    ? <Shell session={session} onLeave={() => void send("DELETE", "/session").catch(() => {}).then(() => leave(false))} />
    : <Login ended={ended} onEnter={(entered) => { setEnded(false); setSession(entered); }} />;
}

function Shell({ session, onLeave }: { session: Session; onLeave: () => void }): JSX.Element {
  const { page, parts } = useStore(place);
  const main = useRef<HTMLElement>(null);
  const current = pages.find(([id]) => id === page) ?? pages[0]!;
  const isFirst = useRef(true);
  const spot = `${page}/${parts.join("/")}`;

  useEffect(() => {
    document.title = `${current[1]} · OcspCluster`;
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }

    main.current?.focus({ preventScroll: true }); // a screen reader hears that it is on another page
    window.scrollTo(0, 0);
  }, [spot]);

  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the content</a>
      <header class="top">
        <a class="brand" href="#/overview" aria-label="OcspCluster, overview"><img src={document.querySelector<HTMLLinkElement>("link[rel=icon]")!.href} alt="" width="24" height="24" /><span>OcspCluster</span></a>
        {current[0] !== "overview" && <TruthLine />}
        <div class="me">
          <span class="who" title={`${session.who}; ${session.scopes.join(", ")}`}>{nameOf(session)}</span>
          <ThemeSwitch />
          <button type="button" class="plain" onClick={onLeave} aria-label="Log out" title="Log out"><Icon name="leave" /></button>
        </div>
      </header>
      <nav class="pages" aria-label="Pages">
        <div>{pages.map(([id, name, icon]) => <a key={id} href={`#/${id}`} aria-current={id === current[0] ? "page" : undefined}><Icon name={icon} /><span>{name}</span></a>)}</div>
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        {!may(session, "read")
          ? <div class="page"><h1>{current[1]}</h1><p>The key that you logged in with may not read: its scopes are {session.scopes.join(", ")}. Log in with one that has the scope <code>read</code> or <code>operator</code>.</p></div>
          : <Page page={current[0]} parts={parts} session={session} />}
      </main>
    </>
  );
}

function Page({ page, parts, session }: { page: string; parts: string[]; session: Session }): JSX.Element {
  switch (page) {
    case "cluster": return <ClusterPage />;
    case "certificates": return parts.length === 2 ? <Certificate key={parts.join("/")} issuer={parts[0]!} serial={parts[1]!} session={session} /> : <Certificates session={session} />;
    case "events": return <Events session={session} />;
    case "issuers": return <Issuers session={session} />;
    default: return <OverviewPage />;
  }
}

// "key 0123456789abcdef (alice)" is alice.
const nameOf = (session: Session): string => /\((.+)\)$/.exec(session.who ?? "")?.[1] ?? session.who ?? "";
