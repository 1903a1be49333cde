// Small marks: the shape of a level, a sparkline, a bar of probabilities, an interval on a scale.
import { h, setAttribute, svg } from '../dom';
import { chance, words } from '../format';
import type { Hypothesis, Range } from '../protocol';
import type { Level } from '../severity';

const SHAPES: Record<Level, string> = {
  ok: 'M6 4.5A1.5 1.5 0 1 0 6 7.5A1.5 1.5 0 1 0 6 4.500Z',
  watch: 'M6 1.2L11.2 10.5H.8Z',
  bad: 'M6 .5L11.5 6L6 11.5L.5 6Z',
  severe: 'M1 1H11V11H1Z',
  learning: 'M6 1.500A4.5 4.5 0 1 0 6 10.500A4.5 4.5 0 1 0 6 1.500ZM6 3A3 3 0 1 1 6 9A3 3 0 1 1 6 3Z',
  none: 'M2 5.4H10V6.600H2Z',
};

export function shape(level: Level): SVGSVGElement {
  const mark = svg('svg', { class: `shape ${level}`, viewBox: '0 0 12 12', 'aria-hidden': 'true' },
    svg('path', { d: SHAPES[level], 'fill-rule': 'evenodd' }));
  mark.dataset['level'] = level;
  return mark;
}

export function setShape(mark: SVGSVGElement, level: Level): void {
  if (mark.dataset['level'] === level) return;
  mark.dataset['level'] = level;
  setAttribute(mark, 'class', `shape ${level}`);
  setAttribute(mark.firstElementChild as Element, 'd', SHAPES[level]);
}

const WIDTH = 118;
const HEIGHT = 20;

export function sparkline(): SVGSVGElement {
  return svg('svg', {
    class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true',
  }, svg('path', { class: 'usual' }), svg('path', { class: 'line' }));
}

// Success over the last five minutes against its usual rate. The floor is 80 % unless it went
// lower, so that a cell at rest is flat and a fall is a fall.
export function setSparkline(mark: SVGSVGElement, values: (number | null)[], usual: number): void {
  let floor = 0.8;
  for (const v of values) if (v !== null && v < floor) floor = v;
  const y = (v: number): string =>
    (1 + (HEIGHT - 2) * (1 - (v - floor) / (1.001 - floor))).toFixed(1);
  const step = values.length > 1 ? WIDTH / (values.length - 1) : WIDTH;
  let d = '';
  let pen = 'M';
  values.forEach((v, i) => {
    if (v === null) { pen = 'M'; return; }
    d += `${pen}${(i * step).toFixed(1)} ${y(v)}`;
    pen = 'L';
  });
  setAttribute(mark.children[0] as Element, 'd', `M0 ${y(Math.max(floor, usual))}H${WIDTH}`);
  setAttribute(mark.children[1] as Element, 'd', d);
}

// The competing explanations as one bar: the first in full, the others fainter.
export function beliefBar(hypotheses: readonly Hypothesis[]): SVGSVGElement {
  const label = hypotheses.map((x) => `${words(x.cause)} ${chance(x.posterior)}`).join(', ');
  const bar = svg('svg', {
    class: 'belief', viewBox: '0 0 100 6', preserveAspectRatio: 'none', role: 'img', 'aria-label': label,
  });
  let x = 0;
  hypotheses.forEach((hypothesis, i) => {
    const width = Math.max(0, hypothesis.posterior * 100);
    bar.append(svg('rect', {
      x, y: 0, width: Math.max(0, width - 0.4), height: 6, class: i === 0 ? 'first' : `rest r${Math.min(i, 3)}`,
    }));
    x += width;
  });
  return bar;
}

// What a row of intervals is drawn on: wide enough for all, and zero is always in it.
export function scaleOf(ranges: readonly Range[]): [number, number] {
  let low = 0;
  let high = 0;
  for (const r of ranges) {
    low = Math.min(low, r.low);
    high = Math.max(high, r.high);
  }
  const pad = (high - low || 1) * 0.04;
  return [low - pad, high + pad];
}

export function intervalMark(range: Range, scale: [number, number], label: string): HTMLElement {
  const at = (v: number): number => (100 * (v - scale[0])) / (scale[1] - scale[0]);
  const sign = range.low > 0 ? 'gain' : range.high < 0 ? 'loss' : 'unsure';
  const mark = svg('svg', {
    class: `interval ${sign}`, viewBox: '0 0 100 16', preserveAspectRatio: 'none', role: 'img', 'aria-label': label,
  },
  svg('line', { class: 'zero', x1: at(0), x2: at(0), y1: 0, y2: 16 }),
  svg('line', { class: 'reach', x1: at(range.low), x2: at(range.high), y1: 8, y2: 8 }),
  svg('line', { class: 'end', x1: at(range.low), x2: at(range.low), y1: 4, y2: 12 }),
  svg('line', { class: 'end', x1: at(range.high), x2: at(range.high), y1: 4, y2: 12 }));
  const dot = h('span', { class: `dot ${sign}` });
  dot.style.left = `${at(range.mean)}%`;
  return h('span', { class: 'interval-box' }, mark, dot);
}
