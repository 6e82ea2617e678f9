import type { JSX } from "preact";
import { get, type Cluster, type ClusterNode } from "../api";
import { bytes, count, percent, rate, span } from "../format";
import { now } from "../live";
import { useLoad } from "../load";
import { useStore } from "../store";
import { Badge, Card, Empty, Fact, Facts, Failure, Loading, Meter, Notice, Table, Time, type Tone } from "../ui";

const toneOfState: Record<string, Tone> = { active: "ok", joining: "info", leaving: "warning", dead: "critical", lost: "critical" };

const toneOfEvent: Record<string, Tone> = { joined: "ok", lost: "critical", left: "neutral", failedOver: "warning" };
const wordOfEvent: Record<string, string> = { joined: "joined", lost: "lost", left: "left", failedOver: "failed over" };

export function ClusterPage(): JSX.Element {
  const { data, problem, reload } = useLoad("cluster", (signal) => get<Cluster>("/v1/cluster", signal), 2000);
  if (!data) {
    return <div class="page"><h1>Cluster</h1>{problem ? <Failure problem={problem} retry={reload} /> : <Loading rows={6} />}</div>;
  }

  const lost = data.nodes.filter(isLost);
  const requests = data.nodes.reduce((sum, node) => sum + (node.requestsPerSecond ?? 0), 0);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Cluster</h1>
        <p class="faint" role="status">{data.cluster ? `${data.cluster}: ${data.nodes.length - lost.length} of ${data.nodes.length} nodes answer` : "A host that is alone"}</p>
      </div>
      {problem && <Failure problem={problem} />}
      {lost.length > 0 && <Notice tone="critical" live><strong>{lost.map((node) => node.name).join(", ")}</strong> {lost.length === 1 ? "is" : "are"} lost. The others answer for everything; start {lost.length === 1 ? "it" : "them"} again.</Notice>}
      <div class="nodes">{data.nodes.map((node) => <NodeCard key={`${node.name} ${node.address}`} node={node} all={requests} />)}</div>
      <Store store={data.store} />
      <Card title="What happened" wide>
        {!data.happened?.length ? <Empty title="Nothing happened since this node was started" /> : (
          <Table label="What happened" head={<><th scope="col">When</th><th scope="col">Node</th><th scope="col">What</th><th scope="col">More</th></>}>
            {[...data.happened].sort((one, other) => Date.parse(other.at) - Date.parse(one.at)).map((event, i) => (
              <tr key={i}>
                <td><Time at={event.at} /> <span class="faint"><Time at={event.at} relative /></span></td><th scope="row">{event.node}</th>
                <td><Badge tone={toneOfEvent[event.what] ?? "neutral"}>{wordOfEvent[event.what] ?? event.what}</Badge></td><td>{event.detail}</td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
    </div>
  );
}

const isLost = (node: ClusterNode): boolean => node.state === "dead" || node.state === "lost";

function NodeCard({ node, all }: { node: ClusterNode; all: number }): JSX.Element {
  const current = useStore(now);
  const state = isLost(node) ? "lost" : node.state;
  const answers = node.role !== null || isLost(node);
  const actors = Object.entries(node.activations);
  return (
    <section class={isLost(node) ? "card node lost" : "card node"} aria-label={`Node ${node.name}`} data-node={node.name} data-state={state}>
      <header class="card-head">
        <h2>{node.name}{node.isSelf && <span class="faint"> · this one</span>}</h2>
        <div class="aside"><Badge tone={answers ? toneOfState[state] ?? "neutral" : "warning"}>{answers ? state : "does not answer"}</Badge></div>
      </header>
      <Facts>
        <Fact name="Role">{node.role ?? "–"}</Fact>
        {node.address && <Fact name="Address"><code>{node.address}</code></Fact>}
        <Fact name="Version">{node.version?.split("+")[0] ?? "–"}</Fact>
        <Fact name="Up for">{node.startedAt ? span(Math.max(1, Math.floor((current - Date.parse(node.startedAt)) / 1000))) : "–"}</Fact>
        {node.requestsPerSecond !== undefined && node.requestsPerSecond !== null && (
          <Fact name="Requests">{rate(node.requestsPerSecond)}/s{all > 0 && <>, {percent(node.requestsPerSecond, all)}<Meter value={node.requestsPerSecond} max={all} label={`Share of the requests of ${node.name}`} /></>}</Fact>
        )}
        {node.memoryBytes !== undefined && node.memoryBytes !== null && <Fact name="Memory">{bytes(node.memoryBytes)}</Fact>}
        {actors.length > 0 && <Fact name="Actors">{actors.map(([kind, n]) => `${count(n)} ${kind}`).join(", ")}</Fact>}
        {node.leases.length > 0 && <Fact name="Leases">{node.leases.map((lease) => <span key={lease.issuer} class={lease.secondsLeft > 0 ? "lease" : "lease bad"}>{lease.issuer} {lease.secondsLeft > 0 ? span(lease.secondsLeft) : "none"}</span>)}</Fact>}
      </Facts>
    </section>
  );
}

function Store({ store }: { store: Cluster["store"] }): JSX.Element {
  return (
    <Card title="Store" wide aside={<Badge tone={store.isReachable && store.takesEvents ? "ok" : "critical"}>{!store.isReachable ? "cannot be reached" : store.takesEvents ? "well" : "takes no events"}</Badge>}>
      <Facts>
        <Fact name="Kind">{store.kind === "redis" ? "Redis" : store.kind === "sqlite" ? "SQLite" : store.kind}</Fact>
        <Fact name="Survives a loss of power">{store.isDurable ? "yes" : "no"}</Fact>
        <Fact name="Takes events">{store.takesEvents ? "yes" : "no"}</Fact>
        <Fact name="Settings">{store.description}</Fact>
      </Facts>
    </Card>
  );
}
