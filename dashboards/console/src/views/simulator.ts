// Simulator: of a demo only. What is true in the world beside what the agent believes, and ways to
// disturb it.
import { mayOperate, told } from '../api';
import type { App, View } from '../app';
import { h, replace, setText } from '../dom';
import { chance, duration, number, percent, points, scopeName, sentence, utc, words } from '../format';
import { scopeKey, type Incident, type Scope } from '../protocol';

interface Truth { no: number; kind: string; scope: Scope; severity: number; at_ms: number }
interface World {
  scenario: string; rate_tps: number; speed: number; now_ms: number; kinds: string[];
  faults: Truth[]; over: Truth[]; paths: { path: Scope; success: number }[];
}
const DIMENSIONS = ['issuer', 'method', 'gateway'] as const;
const AGAIN_MS = 2000;
const SEVERITIES: [string, string][] = [['0.9', 'nine in ten lost'], ['0.5', 'half lost'], ['0.2', 'one in five lost']];
const LASTS: [string, string][] = [['120', '2 minutes'], ['300', '5 minutes'], ['900', '15 minutes']];

export class SimulatorView implements View {
  title = 'Simulator';
  element = h('div', { class: 'stack pairwise' });
  private note = h('p', { role: 'status', class: 'muted' });
  private faults = h('tbody', {});
  private truth = h('tbody', {});
  private form: HTMLFormElement;
  private selects = new Map<string, HTMLSelectElement>();
  private rate = h('input', { id: 'sim-rate', type: 'number', min: 1, max: 2000, step: 1, required: true });
  private speed = h('input', { id: 'sim-speed', type: 'number', min: 0.5, max: 60, step: 0.5, required: true });
  private asked_at = 0;
  private world: World | undefined;

  constructor(private app: App) {
    this.form = this.faultForm();
    const column = (text: string, num = false): HTMLElement => h('th', { scope: 'col', class: num ? 'num' : '' }, text);
    const table = (title: string, heads: HTMLElement[], body: HTMLElement): HTMLElement => h('section', { class: 'panel' },
      h('header', {}, h('h2', {}, title)), h('div', { class: 'inner scroll-x', tabindex: 0, role: 'region', 'aria-label': title },
        h('table', { class: 'wide' }, h('thead', {}, h('tr', {}, ...heads)), body)));
    replace(this.element,
      h('header', { class: 'view-head' }, h('h1', {}, 'Simulator'), this.note),
      h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Break something')), h('div', { class: 'inner' }, this.form)),
      h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'The world')), h('div', { class: 'inner sim-knobs' },
        this.knob('Payments a second', this.rate, 'rate_tps'), this.knob('Simulated seconds a second', this.speed, 'speed'))),
      table('What is broken, and what the agent believes', [column('Since, UTC'), column('Truth'), column('Where'), column('Severity', true), column('The agent noticed after'), column('The agent believes')], this.faults),
      table('True success beside what is measured', [column('Series'), column('True', true), column('Measured', true), column('Difference', true), column('Taken for usual', true)], this.truth));
  }

  update(): void { this.show(); }

  tick(): void {
    for (const e of this.element.querySelectorAll<HTMLButtonElement>('form button')) e.disabled = this.app.stale() || !mayOperate(this.app.api.me?.role ?? '');
    if (performance.now() - this.asked_at > AGAIN_MS && !this.app.past()) void this.load();
  }

  private faultForm(): HTMLFormElement {
    const field = (name: string, label: string, options: [string, string][]): HTMLElement => {
      const select = h('select', { id: `sim-${name}` }, ...options.map(([v, t]) => h('option', { value: v }, t)));
      this.selects.set(name, select);
      return h('div', { class: 'field' }, h('label', { for: `sim-${name}` }, label), select);
    };
    const form = h('form', { class: 'sim-form' }, field('kind', 'What', [['outage', 'outage']]),
      ...DIMENSIONS.map((d) => field(d, sentence(d), [['*', `any ${d}`]])),
      field('severity', 'How bad', SEVERITIES), field('duration_s', 'For', LASTS), h('button', { class: 'danger' }, 'Break it'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const value = (name: string): string => this.selects.get(name)?.value ?? '';
      void this.send({
        fault: {
          kind: value('kind'), scope: Object.fromEntries(DIMENSIONS.map((d) => [d, value(d)])),
          severity: Number(value('severity')), duration_s: Number(value('duration_s')),
        },
      }, 'It breaks at the next second.');
    });
    return form;
  }

  private knob(label: string, input: HTMLInputElement, name: string): HTMLElement {
    const form = h('form', { class: 'field' }, h('label', { for: input.id }, label), input, h('button', {}, 'Set'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.send({ [name]: Number(input.value) }, 'Taken up.');
    });
    return form;
  }

  private async send(body: object, done: string): Promise<void> {
    const answer = await this.app.api.command('/api/simulator', body);
    this.app.say(answer.status === 200 ? done : told(answer), answer.status === 200 ? 'done' : 'wrong');
    await this.load();
  }

  private async load(): Promise<void> {
    this.asked_at = performance.now();
    const answer = await this.app.api.get('/api/simulator');
    if (answer.status !== 200) return setText(this.note, answer.status === 404 ? 'This is no simulated world: there is nothing to break here.' : told(answer));
    const first = !this.world;
    this.world = answer.body as unknown as World;
    setText(this.note, `${words(this.world.scenario)}, ${number(this.world.rate_tps)} payments a second, ${number(this.world.speed, 1)} times as fast as time`);
    if (first) this.fill(this.world);
    this.show();
  }

  // What can be chosen, once it is known.
  private fill(world: World): void {
    const options = (name: string, all: [string, string][]): void => {
      const select = this.selects.get(name);
      if (select) replace(select, ...all.map(([v, t]) => h('option', { value: v }, t)));
    };
    options('kind', world.kinds.map((k): [string, string] => [k, words(k)]));
    for (const d of DIMENSIONS) {
      const names = [...new Set(world.paths.map((p) => p.path[d]))].sort();
      options(d, [['*', `any ${d}`], ...names.map((n): [string, string] => [n, n])]);
    }
    this.rate.value = String(world.rate_tps);
    this.speed.value = String(world.speed);
  }

  private show(): void {
    const world = this.world;
    if (!world) return;
    const incidents = Object.values(this.app.store.state.incidents);
    const row = (f: Truth, over: boolean): HTMLElement => {
      const noticed = incidents.filter((i) => overlap(i.scope, f.scope) && (over ? i.started_ms < f.at_ms + 60_000 : i.raised_ms >= f.at_ms - 5000))
        .sort((a, b) => a.raised_ms - b.raised_ms)[0];
      return h('tr', {}, h('td', {}, over ? `over since ${utc(f.at_ms)}` : utc(f.at_ms)), h('th', { scope: 'row' }, words(f.kind)), h('td', {}, scopeName(f.scope)),
        h('td', { class: 'num' }, percent(f.severity, 0)), h('td', {}, noticed && !over ? duration(Math.max(0, noticed.raised_ms - f.at_ms)) : over ? '–' : 'not yet'),
        h('td', {}, noticed ? believed(noticed) : 'nothing'));
    };
    replace(this.faults, ...world.faults.map((f) => row(f, false)), ...world.over.slice(0, 5).map((f) => row(f, true)));
    if (!world.faults.length && !world.over.length) replace(this.faults, h('tr', {}, h('td', { colspan: 6, class: 'muted' }, 'Nothing is broken.')));
    this.showTruth(world);
  }

  // Single dimensions: the mean over their paths, weighted by what is measured there.
  private showTruth(world: World): void {
    const cells = this.app.store.state.cells;
    const rows = DIMENSIONS.flatMap((d) => [...new Set(world.paths.map((p) => p.path[d]))].sort().map((name) => {
      const within = world.paths.filter((p) => p.path[d] === name);
      let weight = 0;
      let success = 0;
      for (const p of within) {
        const n = cells[scopeKey(p.path)]?.attempts ?? 0;
        weight += n;
        success += n * p.success;
      }
      const scope: Scope = { issuer: '*', method: '*', gateway: '*', [d]: name };
      return { scope, truth: weight > 0 ? success / weight : null, cell: cells[scopeKey(scope)] };
    }));
    replace(this.truth, ...rows.map((r) => h('tr', {},
      h('th', { scope: 'row' }, h('a', { href: `#/series/${encodeURIComponent(scopeKey(r.scope))}` }, scopeName(r.scope))),
      h('td', { class: 'num' }, percent(r.truth)), h('td', { class: 'num' }, percent(r.cell?.success)),
      h('td', { class: 'num' }, r.truth !== null && r.cell ? points(r.cell.success - r.truth) : '–'), h('td', { class: 'num' }, percent(r.cell?.baseline)))));
  }
}

function overlap(a: Scope, b: Scope): boolean {
  return DIMENSIONS.every((d) => a[d] === '*' || b[d] === '*' || a[d] === b[d]);
}

function believed(i: Incident): Node {
  return h('a', { href: `#/incident/${encodeURIComponent(i.id)}` }, `${words(i.cause)}, ${scopeName(i.cause_scope)}, ${chance(i.posterior)} sure`);
}
