import type { JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useStore } from "./store";
import { themeTurn } from "./theme";

export interface Line {
  name: string;
  color: string; // a custom property of the style sheet
  values: (number | null)[];
}

interface ChartProps {
  title: string;
  times: number[];
  lines: Line[];
  stacked?: boolean;
  format: (value: number | null) => string;
  window: number;
}

const height = 180;

/** Lines over time. What it shows at its end stands in words in the caption, for who does not see it. */
export function Chart({ title, times, lines, stacked, format, window: length }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef(lines);
  shown.current = lines;
  const theme = useStore(themeTurn);
  const id = useId();
  const names = lines.map((line) => line.name).join();

  useEffect(() => {
    const host = box.current!;
    const style = getComputedStyle(host);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const tip = document.createElement("div");
    tip.className = "chart-tip";
    tip.hidden = true;
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: `11px ${style.fontFamily}` };
    const built = new uPlot({
      width: host.clientWidth || 300,
      height,
      padding: [8, 22, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
      scales: { x: { time: true }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.12 : 1] } },
      axes: [
        { ...axis, size: 26, space: 70, values: (_, ticks) => ticks.map((tick) => clockOf(tick, length)) },
        { ...axis, size: 58, space: 34, values: (_, ticks) => ticks.map((tick) => format(tick)) },
      ],
      series: [
        {},
        ...shown.current.map((line, i) => ({
          label: line.name,
          stroke: color(line.color),
          width: 1.5,
          fill: stacked || i === 0 ? `${color(line.color)}${stacked ? "55" : "1f"}` : "",
          points: { show: false },
        })),
      ],
      hooks: {
        setCursor: [(u) => {
          const at = u.cursor.idx;
          tip.hidden = at === null || at === undefined || (u.cursor.left ?? -1) < 0;
          if (!tip.hidden) {
            const rows = shown.current.map((line) => `${line.name}  ${format(line.values[at!] ?? null)}`);
            tip.textContent = [clockOf(u.data[0][at!]!, 0), ...rows].join("\n");
            const left = u.cursor.left! + (u.bbox.left / devicePixelRatio);
            tip.style.left = `${Math.max(0, Math.min(left + 12, host.clientWidth - tip.offsetWidth))}px`;
          }
        }],
      },
    }, [[], ...shown.current.map(() => [])] as unknown as uPlot.AlignedData, host);
    host.append(tip);
    plot.current = built;
    const observer = new ResizeObserver(() => built.setSize({ width: host.clientWidth, height }));
    observer.observe(host);
    return () => {
      observer.disconnect();
      built.destroy();
      tip.remove();
      plot.current = null;
    };
  }, [theme, names, stacked, length]);

  useEffect(() => {
    const end = times.at(-1) ?? Date.now() / 1000;
    const series = stacked ? stack(lines) : lines.map((line) => line.values);
    plot.current?.batch(() => {
      plot.current!.setData([times, ...series] as uPlot.AlignedData, false);
      plot.current!.setScale("x", { min: end - length, max: end });
    });
  }, [times, lines, theme, length]);

  const last = (line: Line): string => format(line.values.at(-1) ?? null);
  return (
    <figure class="chart" aria-labelledby={id} data-points={times.length}>
      <figcaption id={id}>
        <span class="chart-title">{title}</span>
        <span class="chart-legend">{lines.map((line) => <span key={line.name}><i style={{ background: `var(${line.color})` }} />{line.name} <b>{last(line)}</b></span>)}</span>
      </figcaption>
      <div class="chart-box" ref={box} aria-hidden="true" />
    </figure>
  );
}

// The first line lies above the others, and so on down: what is drawn later covers what is below it.
function stack(lines: Line[]): (number | null)[][] {
  let below: (number | null)[] = [];
  return lines.slice().reverse().map((line) => {
    below = line.values.map((value, i) => value === null ? null : value + (below[i] ?? 0));
    return below;
  }).reverse();
}

function clockOf(time: number, window: number): string {
  const date = new Date(time * 1000);
  const text = date.toTimeString().slice(0, 8);
  return window > 900 ? text.slice(0, 5) : text;
}
