// One series over time: success against its usual band, latency, volume, retries, declines; with
// interventions drawn in, a table twin and a CSV file.
import { type App, hasAny, type View } from '../app';
import { h, replace, setText } from '../dom';
import { milliseconds, number, percent, rate, scopeName, utcDate, words } from '../format';
import { Chart, type Line, type Span } from '../parts/chart';
import { does } from '../parts/facts';
import { shape } from '../parts/marks';
import { type Intervention, type SeriesPoint, type Scope } from '../protocol';
import { levelOf, WORDS } from '../severity';
import type { Changes } from '../store';

const RANGES: [string, number][] = [['15 min', 900_000], ['1 h', 3_600_000], ['6 h', 21_600_000], ['24 h', 86_400_000]];
const AGAIN_EVERY_MS = 5000;
const TABLE_ROWS = 300;
const DECLINE_COLOURS = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7'];

export class SeriesView implements View {
  title = 'Series';
  element: HTMLElement;
  private scope: Scope;
  private range = RANGES[0]?.[1] ?? 900_000;
  private zoomed: [number, number] | undefined;
  private points: SeriesPoint[] = [];
  private slot_ms = 5000;
  private acts: Intervention[] = [];
  private charts: Chart[] = [];
  private heading = h('h1', {});
  private now = h('p', { class: 'series-now' });
  private pickers = h('div', { class: 'pickers' });
  private back = h('button', { type: 'button', hidden: true }, 'Whole range');
  private note = h('p', { role: 'status', class: 'muted' });
  private body = h('div', { class: 'charts' });
  private table = h('div', { class: 'scroll-x', tabindex: 0, role: 'region', 'aria-label': 'Values' });
  private tableBox = h('details', { class: 'panel twin' }, h('summary', {}, 'Table'), this.table);
  private loaded_at = 0;
  private asked = 0;
  private onTheme = (): void => this.draw();
  private scheme = matchMedia('(prefers-color-scheme: dark)');

  constructor(private app: App, argument: string) {
    const [issuer = '*', method = '*', gateway = '*'] = (argument || '*|*|*').split('|');
    this.scope = { issuer, method, gateway };
    const csv = h('button', { type: 'button' }, 'CSV');
    csv.addEventListener('click', () => void this.download());
    this.back.addEventListener('click', () => { this.zoomed = undefined; void this.load(); });
    this.tableBox.addEventListener('toggle', () => this.fillTable());
    this.element = h('div', { class: 'series' },
      h('header', { class: 'view-head' }, this.heading, this.now),
      h('div', { class: 'toolbar' }, this.pickers, this.rangePicker(), this.back, csv, this.note),
      this.body, this.tableBox);
    addEventListener('theme', this.onTheme);
    this.scheme.addEventListener('change', this.onTheme);
  }

  dispose(): void {
    removeEventListener('theme', this.onTheme);
    this.scheme.removeEventListener('change', this.onTheme);
    for (const chart of this.charts) chart.dispose();
  }

  update(changes: Changes): void {
    if (changes.all) this.pick();
    if (hasAny(changes, 'cells')) this.showNow();
  }

  tick(): void {
    const due = performance.now() - this.loaded_at > AGAIN_EVERY_MS;
    if (due && !this.zoomed && !this.app.stale() && this.range <= 3_600_000) void this.load();
  }

  private scopeText(): string { return `${this.scope.issuer}|${this.scope.method}|${this.scope.gateway}`; }

  private pick(): void {
    setText(this.heading, scopeName(this.scope) === 'all traffic' ? 'All traffic' : scopeName(this.scope));
    const values = { issuer: new Set<string>(), method: new Set<string>(), gateway: new Set<string>() };
    for (const cell of Object.values(this.app.store.state.cells)) {
      values.issuer.add(cell.issuer);
      values.method.add(cell.method);
      values.gateway.add(cell.gateway);
    }
    replace(this.pickers, ...(['issuer', 'method', 'gateway'] as const).map((dimension) => {
      const names = [...values[dimension]].filter((v) => v !== '*').sort();
      const select = h('select', { 'aria-label': dimension }, h('option', { value: '*' }, `any ${dimension}`),
        ...names.map((v) => h('option', { value: v }, v)));
      select.value = this.scope[dimension];
      select.addEventListener('change', () => {
        const next = { ...this.scope, [dimension]: select.value };
        location.hash = `#/series/${encodeURIComponent(`${next.issuer}|${next.method}|${next.gateway}`)}`;
      });
      return select;
    }));
    this.showNow();
    void this.load();
  }

  private rangePicker(): HTMLElement {
    const box = h('fieldset', { class: 'switch' }, h('legend', { class: 'unseen' }, 'Time range'));
    for (const [label, ms] of RANGES) {
      const input = h('input', { type: 'radio', name: 'range', value: ms });
      input.checked = ms === this.range;
      input.addEventListener('change', () => { this.range = ms; this.zoomed = undefined; void this.load(); });
      box.append(h('label', {}, input, h('span', {}, label)));
    }
    return box;
  }

  private showNow(): void {
    const cell = this.app.store.state.cells[this.scopeText()];
    const level = levelOf(cell);
    replace(this.now, shape(level), h('b', {}, WORDS[level]), cell && h('span', { class: 'muted' },
      `success ${percent(cell.success)}, usual ${percent(cell.baseline)}, z ${number(cell.z, 1)}, ${rate(cell.per_s)}, `
      + `p95 ${milliseconds(cell.latency_p95_ms)}, usual ${milliseconds(cell.latency_baseline_ms)}, retries ${percent(cell.retry_rate)}`));
  }

  private async load(): Promise<void> {
    const asked = ++this.asked;
    this.loaded_at = performance.now();
    const to = this.app.now();
    const [from, until] = this.zoomed ?? [to - this.range, to];
    this.back.hidden = !this.zoomed;
    try {
      const series = await this.app.api.series(this.scopeText(), Math.round(from), Math.round(until));
      const acts = (await this.app.api.interventions('', from, until)).items;
      // In the past, what came later must not be seen: what was not over then, the state tells.
      this.acts = this.app.past() ? acts.filter((i) => i.expires_ms <= to) : acts;
      if (asked !== this.asked) return;
      this.points = series.points;
      this.slot_ms = series.slot_ms;
      setText(this.note, series.points.length ? '' : 'No values in this range: they are kept for a day, since the agent was started.');
      this.draw();
    } catch (error) {
      setText(this.note, error instanceof Error ? error.message : String(error));
    }
  }

  private draw(): void {
    for (const chart of this.charts) chart.dispose();
    const p = this.points;
    const times = p.map((x) => x.ts_ms / 1000);
    const gap = this.slot_ms / 1000 || 1;
    const spans = this.spans();
    const of = (read: (x: SeriesPoint) => number | null): (number | null)[] => p.map((x) => (x.attempts > 0 ? read(x) : null));
    const share = (v: number | null): string => percent(v);
    const lines: Record<string, Line[]> = {
      success: [
        { label: 'usual +2 sd', values: of((x) => (x.baseline === null ? null : Math.min(1, x.baseline + 2 * (x.sd ?? 0)))), colour: '--line', format: share },
        { label: 'usual −2 sd', values: of((x) => (x.baseline === null ? null : Math.max(0, x.baseline - 2 * (x.sd ?? 0)))), colour: '--line', format: share },
        { label: 'usual', values: of((x) => x.baseline), colour: '--muted', dash: [4, 4], format: share },
        { label: 'success', values: of((x) => x.success), colour: '--text', format: share }],
      latency: [
        { label: 'p50', values: of((x) => x.p50_ms), colour: '--c1', format: milliseconds },
        { label: 'p95', values: of((x) => x.p95_ms), colour: '--c2', format: milliseconds },
        { label: 'p99', values: of((x) => x.p99_ms), colour: '--c3', dash: [6, 3], format: milliseconds }],
      volume: [{ label: 'attempts/s', values: p.map((x) => x.attempts / gap), colour: '--c1', format: (v) => number(v, 1) }],
      retries: [{ label: 'retries', values: of((x) => x.retry_rate), colour: '--c2', format: share }],
    };
    const classes = [...new Set(p.flatMap((x) => Object.keys(x.declines)))].sort();
    lines['declines'] = classes.map((name, i) => ({
      label: words(name), values: p.map((x) => (x.declines[name] ?? 0) / gap), colour: DECLINE_COLOURS[i % 7] ?? '--c1',
      ...(i % 2 ? { dash: [6, 3] } : {}), format: (v) => number(v, 2),
    }));
    const zoom = (a: number, b: number): void => { this.zoomed = [a * 1000, b * 1000]; void this.load(); };
    const make = (title: string, name: string, height: number, axis: (v: number) => string, more = {}): Chart =>
      new Chart({ title, times, lines: lines[name] ?? [], spans, height, axis, onZoom: zoom, ...more });
    this.charts = [
      make('Success', 'success', 260, (v) => percent(v, 0), { band: [0, 1], floor: 0.8, named: true }),
      make('Latency', 'latency', 180, milliseconds), make('Volume, attempts a second', 'volume', 180, (v) => number(v, v < 5 ? 1 : 0)),
      make('Retries', 'retries', 180, (v) => percent(v, 0)), make('Declines a second, by class', 'declines', 180, (v) => number(v, 1)),
    ];
    this.body.replaceChildren(...this.charts.map((chart) => chart.element));
    this.fillTable();
  }

  // The interventions that touched this series.
  private spans(): Span[] {
    const same = (a: string, b: string): boolean => a === '*' || b === '*' || a === b;
    const known = new Map<string, Intervention>();
    for (const i of [...this.acts, ...Object.values(this.app.store.state.interventions)]) known.set(i.id, i);
    return [...known.values()]
      .filter((i) => i.issued_ms > 0 && i.type !== 'alert_ops' && !['rejected', 'withdrawn', 'shadowed'].includes(i.state) && same(i.scope.issuer, this.scope.issuer)
        && same(i.scope.method, this.scope.method) && same(i.scope.gateway, this.scope.gateway))
      .map((i) => ({ from: i.issued_ms / 1000, to: Math.min(i.expires_ms, this.app.now()) / 1000, label: does(i) }));
  }

  private fillTable(): void {
    if (!this.tableBox.open) return;
    const column = (text: string): HTMLElement => h('th', { scope: 'col', class: 'num' }, text);
    replace(this.table, h('table', {}, h('caption', { class: 'muted' }, `newest first, at most ${TABLE_ROWS}`),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'UTC'), ...['Attempts', 'Success', 'Usual', 'p50', 'p95', 'p99', 'Retries', 'Declines'].map(column))),
      h('tbody', {}, ...this.points.slice(-TABLE_ROWS).reverse().map((x) => h('tr', {}, h('th', { scope: 'row' }, utcDate(x.ts_ms)),
        ...[number(x.attempts), percent(x.success), percent(x.baseline), milliseconds(x.p50_ms), milliseconds(x.p95_ms), milliseconds(x.p99_ms), percent(x.retry_rate),
          Object.entries(x.declines).map(([k, v]) => `${words(k)} ${v}`).join(', ')].map((text) => h('td', { class: 'num' }, text)))))));
  }

  private async download(): Promise<void> {
    const to = this.app.now();
    const [from, until] = this.zoomed ?? [to - this.range, to];
    try {
      const url = URL.createObjectURL(await this.app.api.seriesCsv(this.scopeText(), Math.round(from), Math.round(until)));
      const link = h('a', { href: url, download: `${this.scopeText().replaceAll('|', '_').replaceAll('*', 'any')}.csv` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    } catch (error) {
      this.app.say(error instanceof Error ? error.message : String(error), 'wrong');
    }
  }
}
