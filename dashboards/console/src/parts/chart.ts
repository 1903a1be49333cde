// A chart over time by uPlot, in the page's colours, with interventions drawn in.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { h } from '../dom';
import { utc } from '../format';

export interface Line {
  label: string;
  values: (number | null)[];
  colour: string;      // name of a custom property
  dash?: number[];
  format: (v: number | null) => string;
}

export interface Span { from: number; to: number; label: string }

export interface ChartOptions {
  title: string;
  times: number[];     // seconds
  lines: Line[];
  band?: [number, number];  // indices of the lines it lies between: upper, lower
  spans: Span[];
  height: number;
  axis: (v: number) => string;
  floor?: number;      // a share: the scale ends at 1 and begins here, or lower; else it begins at 0
  named?: boolean;     // the interventions' names are written in
  onZoom: (from: number, to: number) => void;
}

const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Custom properties hold light-dark(); the canvas needs the colour it comes to.
function colour(name: string): string {
  const probe = h('i', {});
  probe.style.color = token(name) ? `var(${name})` : name;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export class Chart {
  readonly element: HTMLElement;
  private plot: uPlot | undefined;
  private box = h('div', { class: 'plot' });
  private resized: ResizeObserver;

  constructor(private options: ChartOptions) {
    this.element = h('figure', { class: 'panel chart', 'aria-label': `${options.title}; its values are in the table below` },
      h('figcaption', {}, h('h2', {}, options.title)), this.box);
    this.resized = new ResizeObserver(() => {
      const width = this.box.clientWidth;
      if (!this.plot) this.draw();
      else if (width !== this.plot.width) this.plot.setSize({ width, height: options.height });
    });
    this.resized.observe(this.box);
  }

  dispose(): void {
    this.resized.disconnect();
    this.plot?.destroy();
  }

  private draw(): void {
    const o = this.options;
    if (!this.box.clientWidth) return;
    const muted = colour('--muted');
    const grid = { stroke: colour('--line'), width: 1 };
    const font = '12px ' + getComputedStyle(document.documentElement).fontFamily;
    const series: uPlot.Series[] = [
      { label: 'UTC', value: (_, v) => (v == null ? '–' : utc(v * 1000)) },
      ...o.lines.map((line): uPlot.Series => ({
        label: line.label, stroke: colour(line.colour), width: line.dash ? 1.2 : 1.6,
        ...(line.dash ? { dash: line.dash } : {}), points: { show: false },
        value: (_, v) => line.format(v ?? null),
      })),
    ];
    this.plot = new uPlot({
      width: this.box.clientWidth, height: o.height, series,
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), 'Etc/UTC'),
      cursor: { sync: { key: 'payops', setSeries: false }, drag: { x: true, y: false, setScale: false } },
      scales: {
        y: { range: (_, low, high) => (o.floor === undefined ? [0, high * 1.08 || 1] : [Math.min(o.floor, low), 1]) },
      },
      ...(o.band ? { bands: [{ series: [o.band[0] + 1, o.band[1] + 1] as [number, number], fill: colour('--band') }] } : {}),
      axes: [
        { stroke: muted, grid: { show: false }, ticks: grid, font, size: 34, space: 72,
          values: (_, ticks, _axis, _space, step) => ticks.map((t) => utc(t * 1000).slice(0, step < 60 ? 8 : 5)) },
        { stroke: muted, grid, ticks: { show: false }, font, size: 62, values: (_, ticks) => ticks.map(o.axis) },
      ],
      hooks: {
        drawClear: [(u) => this.drawSpans(u)],
        draw: [(u) => { if (o.named) this.nameSpans(u); }],
        // Away from the chart, the legend tells the newest values.
        ready: [(u) => u.setLegend({ idx: o.times.length - 1 })],
        setCursor: [(u) => { if (u.cursor.idx == null) u.setLegend({ idx: o.times.length - 1 }); }],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          o.onZoom(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'));
        }],
      },
    }, [o.times, ...o.lines.map((line) => line.values)], this.box);
  }

  // Interventions as shaded stretches with a line at their start.
  private drawSpans(u: uPlot): void {
    const { ctx, bbox } = u;
    const [fill, edge] = [colour('--span'), colour('--accent')];
    for (const span of this.options.spans) {
      const x0 = Math.max(bbox.left, u.valToPos(span.from, 'x', true));
      const x1 = Math.min(bbox.left + bbox.width, u.valToPos(span.to, 'x', true));
      if (x1 <= x0) continue;
      ctx.fillStyle = fill;
      ctx.fillRect(x0, bbox.top, x1 - x0, bbox.height);
      ctx.fillStyle = edge;
      ctx.fillRect(x0, bbox.top, devicePixelRatio, bbox.height);
    }
  }

  // Their names: in the stretch where it is wide enough, otherwise to its left; away from the line.
  private nameSpans(u: uPlot): void {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    const end = bbox.left + bbox.width;
    ctx.save();
    ctx.fillStyle = colour('--accent');
    ctx.font = `${12 * ratio}px ${getComputedStyle(document.documentElement).fontFamily}`;
    ctx.textAlign = 'left';
    this.options.spans.forEach((span, n) => {
      const x0 = Math.max(bbox.left, u.valToPos(span.from, 'x', true));
      if (x0 >= end || u.valToPos(span.to, 'x', true) <= bbox.left) return;
      const width = ctx.measureText(span.label).width;
      const x = x0 + width + 8 * ratio < end ? x0 + 6 * ratio : x0 - width - 6 * ratio;
      const base = this.isLow(u, x, x + width) ? 0.6 : 1;
      ctx.fillText(span.label, x, bbox.top + base * bbox.height - (10 + (n % 3) * 16) * ratio);
    });
    ctx.restore();
  }

  // Whether the chart's line, its last, comes near the bottom between two places.
  private isLow(u: uPlot, from: number, to: number): boolean {
    const values = u.data.at(-1) ?? [];
    const [first, last] = [u.posToIdx(from, true), u.posToIdx(to, true)];
    const low = Math.min(...values.slice(first, last + 1).filter((v): v is number => v != null));
    return u.valToPos(low, 'y', true) > u.bbox.top + 0.65 * u.bbox.height;
  }
}
