// One incident from alarm to outcome: what happened, what was believed, what was weighed, done, and
// what it did.
import { mayOperate, told } from '../api';
import { type App, hasAny, type View } from '../app';
import { h, replace, svg } from '../dom';
import { chance, duration, gain, here, money, number, percent, scopeName, seen, sentence, utc, words } from '../format';
import { ask, choose } from '../parts/dialog';
import { does, STATES } from '../parts/facts';
import { beliefBar, shape } from '../parts/marks';
import { findings, gate, options, outcome, valueItems } from '../parts/weighing';
import { type Hypothesis, type Incident, type Intervention, scopeKey } from '../protocol';
import type { Changes } from '../store';
import { part } from './approvals';
import { severityLevel } from './now';

const CAUSES = ['issuer_down', 'gateway_down', 'network', 'method_wide', 'retry_storm', 'latency', 'customer_shift', 'traffic_drop',
  'fraud_burst', 'own_action', 'data_problem', 'upstream_down', 'authentication', 'merchant_change'];

interface Moment { at_ms: number; what: string; more?: string; level?: string }

export class IncidentView implements View {
  title = 'Incident';
  element = h('div', { class: 'incident' });
  private shown = '';
  private body = h('div', {});
  private older: Incident | undefined;
  private records = new Map<string, Intervention>();

  constructor(private app: App, private id: string) {
    this.element.append(this.body);
    if (app.past()) return;  // nothing of what came later
    if (!app.store.state.incidents[id]) void this.fetch();
    void this.fetchRecords();
  }

  update(changes: Changes): void {
    if (hasAny(changes, 'incidents', 'interventions')) this.show();
  }

  private async fetch(): Promise<void> {
    const found = await this.app.api.incidents(this.id, 0, 0).then((l) => l.items, () => []);
    this.older = found.find((i) => i.id === this.id);
    this.show();
  }

  // Which records of the audit log tell of the decisions.
  private async fetchRecords(): Promise<void> {
    const acts = await this.app.api.interventions(this.id, 0, 0).then((l) => l.items, () => []);
    for (const a of acts) this.records.set(a.id, a);
    this.shown = '';
    this.show();
  }

  private show(): void {
    const incident = this.app.store.state.incidents[this.id] ?? this.older;
    if (!incident) {
      replace(this.body, h('h1', {}, 'No such incident'), h('p', { class: 'empty' }, 'It is neither open nor in the history. ', h('a', { href: '#/history' }, 'Search the history')));
      return;
    }
    const acts = incident.interventions.map((id) => this.app.store.state.interventions[id] ?? this.records.get(id))
      .filter((a) => a !== undefined).sort((a, b) => a.decided_ms - b.decided_ms);
    const key = JSON.stringify([incident, acts]);
    if (key === this.shown) return;
    this.shown = key;
    // Redrawn whole, so the focus is put back on what has the same name.
    const focused = document.activeElement?.getAttribute('data-focus');
    const open = new Set([...this.body.querySelectorAll('details[open]')].map((d) => d.id));
    replace(this.body, this.head(incident, acts), this.columns(incident, acts));
    for (const id of open) document.getElementById(id)?.setAttribute('open', '');
    if (focused) this.body.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  private head(i: Incident, acts: Intervention[]): HTMLElement {
    const c = this.app.currency();
    const level = severityLevel(i);
    const over = i.status === 'resolved';
    const until = over ? i.ended_ms : this.app.now();
    const what = seen(i);
    return h('header', { class: `incident-head ${level}` },
      h('p', { class: 'crumb' }, shape(level), h('span', { class: 'word' }, over ? 'Resolved' : `${sentence(i.severity)} severity`),
        h('span', { class: 'muted' }, `${words(i.pattern)}, ${i.spread}`)),
      h('h1', {}, scopeName(i.scope)), h('p', { class: 'narrative' }, narrative(i, acts, c)),
      h('dl', { class: 'must-see' },
        figure(what.label, what.observed, `usual ${what.usual}`),
        figure(over ? 'Lasted' : 'For', duration(until - i.started_ms), `since ${utc(i.started_ms)} UTC${here(i.started_ms)}`),
        figure('At risk', money(i.at_risk_minor_per_min, c), 'a minute'),
        figure('Saved', gain(i.saved_minor, c), 'so far'),
        figure('Noticed after', duration(i.raised_ms - i.started_ms), `statistic ${number(i.statistic, 1)}, threshold ${number(i.threshold, 1)}`)),
      i.acknowledged_by || i.notes.length || i.silenced_until_ms > this.app.now() ? h('ul', { class: 'care' },
        i.acknowledged_by ? h('li', {}, h('b', {}, 'Taken on by '), i.acknowledged_by) : null,
        i.silenced_until_ms > this.app.now() ? h('li', {}, h('b', {}, 'Silent until '), `${utc(i.silenced_until_ms)} UTC`) : null,
        ...i.notes.map((note) => h('li', {}, note))) : null,
      h('div', { class: 'buttons' },
        h('a', { class: 'button', href: `#/series/${encodeURIComponent(scopeKey(i.scope))}` }, 'Its series'),
        this.command('Acknowledge', 'ack'), this.command('Add a note', 'note'), this.command('Silence', 'silence'), this.command('Confirm cause', 'cause')));
  }

  private command(label: string, name: 'ack' | 'note' | 'silence' | 'cause'): HTMLElement {
    const button = h('button', { type: 'button', 'data-focus': name, class: 'acts' }, label);
    button.disabled = this.app.stale() || !mayOperate(this.app.api.me?.role ?? '');
    button.addEventListener('click', async () => {
      let body = {};
      if (name === 'note') {
        const text = await ask({ title: 'Add a note', body: [], confirm: 'Add', reason: 'Note' });
        if (text === null) return;
        body = { text };
      } else if (name === 'silence') {
        const chosen = await choose('Silence this incident?', [h('p', {}, 'Nobody is paged for it meanwhile. The agent goes on working on it.')],
          [{ name: 'minutes', label: 'For', options: [['30', '30 minutes'], ['120', '2 hours'], ['480', '8 hours'], ['0', 'no longer']] }], 'Silence');
        if (chosen === null) return;
        body = { minutes: Number(chosen['minutes']) };
      } else if (name === 'cause') {
        const chosen = await choose('What was behind this incident?', [h('p', {}, 'The agent learns from it how often which cause is. Until the incident is over, another answer takes its place.')],
          [{ name: 'cause', label: 'Cause', options: this.causes().map((c) => [c, words(c)]) }], 'Confirm');
        if (chosen === null) return;
        body = { cause: chosen['cause'] };
      }
      const answer = await this.app.api.command(`/api/incidents/${encodeURIComponent(this.id)}/${name}`, body);
      this.app.say(told(answer), answer.status === 200 || answer.status === 202 ? 'done' : 'wrong');
    });
    return button;
  }

  // What can be said to be behind it: what the agent thinks of first, likeliest first.
  private causes(): string[] {
    const incident = this.app.store.state.incidents[this.id] ?? this.older;
    const thought = (incident?.hypotheses ?? []).map((x) => x.cause).filter((c) => CAUSES.includes(c));
    return [...new Set([...thought, ...CAUSES])];
  }

  tick(): void {
    const barred = this.app.stale() || !mayOperate(this.app.api.me?.role ?? '');
    for (const b of this.body.querySelectorAll<HTMLButtonElement>('button.acts')) b.disabled = barred;
  }

  private columns(i: Incident, acts: Intervention[]): HTMLElement {
    return h('div', { class: 'incident-columns' },
      h('div', { class: 'stack' },
        panel('What explains it', i.beliefs.length > 1 ? beliefLines(i.beliefs, this.app.now()) : null, i.hypotheses.length ? this.hypotheses(i.hypotheses) : h('p', {}, `${sentence(i.cause)}, ${chance(i.posterior)} sure.`)),
        panel('Timeline', timeline(i, acts))),
      h('div', { class: 'stack' }, ...(acts.length ? acts.map((a) => this.act(a)) : [panel('Interventions', h('p', { class: 'empty' }, 'Nothing has been done or proposed.'))])));
  }

  private record(id: string): HTMLElement | null {
    const told = this.records.get(id);
    if (!told?.audit_seq) return null;
    return h('span', {}, ', audit record ', h('a', { href: `#/audit/${told.audit_seq}`, 'data-focus': `record-${id}` }, String(told.audit_seq)),
      ' ', h('code', { title: told.audit_hash ?? '' }, (told.audit_hash ?? '').slice(0, 16)));
  }

  private hypotheses(list: Hypothesis[]): HTMLElement {
    return h('div', {}, beliefBar(list), h('ol', { class: 'hypotheses' }, ...list.map((x, n) => h('li', {},
      h('p', { class: 'hypothesis' }, h('b', { class: 'p' }, chance(x.posterior)), h(n === 0 ? 'b' : 'span', {}, `${sentence(x.cause)}${x.cause === 'none_of_these' ? '' : `, ${scopeName(x.scope)}`}`)),
      h('ul', { class: 'evidence' }, ...x.for.map((t) => h('li', { class: 'for' }, h('span', {}, 'for '), t)),
        ...x.against.map((t) => h('li', { class: 'against' }, h('span', {}, 'against '), t)),
        x.why_not ? h('li', { class: 'muted' }, x.why_not) : null)))));
  }

  private act(a: Intervention): HTMLElement {
    const c = this.app.currency();
    const o = a.outcome;
    return h('section', { class: `panel act ${a.state}` },
      h('header', {}, h('h2', {}, does(a)), h('span', { class: `state-word ${a.state}` }, STATES[a.state] ?? a.state)),
      h('div', { class: 'inner' }, h('p', {}, a.reason),
        a.state === 'proposed' ? h('p', {}, h('a', { href: '#/approvals', 'data-focus': `go-${a.id}` }, 'Decide it in Approvals')) : null,
        a.why ? h('p', { class: 'muted' }, `${sentence(a.why)}.`) : null,
        o && o.treated.payments > 0 && part('Treated against held out', outcome(o, c)),
        part('Options', options(a, c)),
        h('details', { id: `more-${a.id}` }, h('summary', { 'data-focus': `more-${a.id}` }, 'Value, pre-mortem and gate'),
          part('What the value is made of', valueItems(a, c)), part('Pre-mortem', findings(a, c)), part('Gate', gate(a))),
        h('p', { class: 'muted hash' }, 'Decision ', h('code', {}, a.decision_id), ', shown hash ', h('code', {}, a.shown_hash.slice(0, 16)), this.record(a.id))));
  }
}

// What happened, what is believed, what is done and whether it helps, in plain words.
function narrative(i: Incident, acts: Intervention[], currency: string): string {
  const over = i.status === 'resolved';
  const where = scopeName(i.scope) === 'all traffic' ? 'All traffic' : scopeName(i.scope);
  const what = seen(i);
  const failing = what.verb !== 'fail'
    ? `${where}: ${what.observed} ${what.verb} where ${what.usual} is usual`
    : i.observed > i.expected
    ? `${where} ${over ? 'failed' : 'is failing'}: ${percent(i.observed)} of attempts ${over ? 'were lost' : 'are lost'} where ${percent(i.expected)} is usual`
    : `${where} ${over ? 'was' : 'is'} not as usual (${words(i.pattern)})`;
  const since = over ? `, from ${utc(i.started_ms)} to ${utc(i.ended_ms)} UTC.` : ` since ${utc(i.started_ms)} UTC.`;
  const cause = i.cause === 'none_of_these' ? ' No known cause explains it.'
    : ` The agent is ${chance(i.posterior)} sure of its cause: ${words(i.cause)}, ${scopeName(i.cause_scope)}.`;
  const touching = acts.filter((a) => a.type !== 'alert_ops');
  const running = touching.filter((a) => a.state === 'active' || a.state === 'approved');
  const waiting = touching.filter((a) => a.state === 'proposed');
  const say = (list: Intervention[]): string => list.map((a) => does(a).replace(/^./, (c) => c.toLowerCase())).join('; ');
  let text = failing + since + cause;
  if (running.length) text += ` In force: ${say(running)}.`;
  if (waiting.length) text += ` Waiting for a person: ${say(waiting)}.`;
  if (!running.length && !waiting.length) text += touching.length ? ' What was tried is over.' : over ? ' No traffic was touched.' : ' No traffic is touched.';
  const judged = touching.filter((a) => a.outcome.result === 'improved' || a.outcome.result === 'worse');
  if (judged.length) text += ` ${judged.length === 1 ? 'It has' : `${judged.length} of them have`} been judged against a holdout: ${judged.map((a) => a.outcome.result).join(', ')}, ${gain(i.saved_minor, currency)} in all.`;
  return text;
}

// How belief moved: a line for each explanation that was ever likely, named at its end.
function beliefLines(beliefs: Incident['beliefs'], now: number): HTMLElement {
  const names = new Map<string, number>();
  for (const b of beliefs) for (const [name, p] of Object.entries(b.posteriors)) names.set(name, Math.max(names.get(name) ?? 0, p));
  const likely = [...names].filter(([, p]) => p >= 0.1).sort((a, b) => b[1] - a[1]).slice(0, 4).map(([name]) => name);
  const first = beliefs[0]?.at_ms ?? 0;
  const last = Math.max(beliefs.at(-1)?.at_ms ?? 0, first + 1);
  const x = (ms: number): number => (100 * (ms - first)) / (last - first);
  const of = (b: Incident['beliefs'][number], name: string): number => b.posteriors[name] ?? 0;
  const lines = likely.map((name, n) => svg('polyline', {
    class: `line b${n}`, points: beliefs.map((b) => `${x(b.at_ms).toFixed(2)},${(40 - 38 * of(b, name)).toFixed(2)}`).join(' '),
  }));
  const told = likely.map((name) => `${explanation(name)} from ${chance(of(beliefs[0] as Incident['beliefs'][number], name))} to ${chance(of(beliefs.at(-1) as Incident['beliefs'][number], name))}`);
  return h('figure', { class: 'beliefs' },
    svg('svg', { viewBox: '0 0 100 42', preserveAspectRatio: 'none', role: 'img', 'aria-label': `Probability over time: ${told.join('; ')}` }, ...lines),
    h('figcaption', {}, h('span', { class: 'muted' }, `${utc(first)} to ${utc(Math.min(last, now))} UTC`),
      ...likely.map((name, n) => h('span', { class: `key b${n}` }, explanation(name)))));
}

function explanation(name: string): string {
  const [cause = '', scope = ''] = name.split(/ (.*)/);
  const [issuer = '*', method = '*', gateway = '*'] = scope.split('|');
  return scope ? `${words(cause)}, ${scopeName({ issuer, method, gateway })}` : words(cause);
}

function timeline(i: Incident, acts: Intervention[]): HTMLElement {
  const moments: Moment[] = [
    { at_ms: i.started_ms, what: 'It began', more: `as the detector reckons it, from ${percent(i.expected)} failing` },
    { at_ms: i.raised_ms, what: 'Alarm', more: `${seen(i).observed} ${seen(i).verb}, ${words(i.pattern)}`, level: 'alarm' },
  ];
  for (const a of acts) {
    moments.push({ at_ms: a.decided_ms, what: a.answer_by_ms || a.state === 'rejected' ? 'Proposed' : 'Decided', more: does(a) });
    if (a.issued_ms) moments.push({ at_ms: a.issued_ms, what: 'Published', more: does(a), level: 'act' });
    const over = ['ended', 'rolled_back', 'withdrawn'].includes(a.state);
    if (over && a.expires_ms) moments.push({ at_ms: a.expires_ms, what: sentence(STATES[a.state] ?? a.state), more: `${does(a)}${a.outcome.result === 'pending' ? '' : `: ${a.outcome.result}`}` });
  }
  if (i.ended_ms) moments.push({ at_ms: i.ended_ms, what: 'Resolved', level: 'act' });
  moments.sort((a, b) => a.at_ms - b.at_ms);
  return h('ol', { class: 'timeline' }, ...moments.map((m) => h('li', { class: m.level ?? '' },
    h('time', {}, utc(m.at_ms)), h('span', {}, h('b', {}, m.what), m.more ? h('span', { class: 'muted' }, m.more) : null))));
}

function figure(name: string, value: string, note: string): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, h('b', {}, value), h('span', { class: 'muted' }, note)));
}

export function panel(title: string, ...content: (Node | null)[]): HTMLElement {
  return h('section', { class: 'panel' }, h('header', {}, h('h2', {}, title)), h('div', { class: 'inner' }, ...content));
}
