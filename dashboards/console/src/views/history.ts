// History: incidents and decisions, searchable.
import type { Listed } from '../api';
import { type App, hasAny, type View } from '../app';
import { h, replace, setText } from '../dom';
import { chance, duration, gain, points, scopeName, seen, sentence, utcDate, words } from '../format';
import { does, STATES } from '../parts/facts';
import { shape } from '../parts/marks';
import type { Incident, Intervention } from '../protocol';
import type { Changes } from '../store';
import { severityLevel } from './now';

export class HistoryView implements View {
  title = 'History';
  element: HTMLElement;
  private query = h('input', { type: 'search', id: 'q', placeholder: 'issuer, method, gateway, pattern, cause or id' });
  private days = h('select', { 'aria-label': 'Since' }, ...[['1', 'the last day'], ['7', '7 days'], ['30', '30 days'], ['0', 'ever']].map(([v, t]) => h('option', { value: v }, t)));
  private note = h('p', { class: 'muted', role: 'status' });
  private incidents = h('tbody', {});
  private decisions = h('tbody', {});
  private older = h('button', { type: 'button', hidden: true }, 'Show older ones');
  private timer = 0;
  private pages = 1;  // asked for, the newest first
  private found: Incident[] = [];
  private acts: Intervention[] = [];

  constructor(private app: App) {
    const anew = (ms: number): void => { this.pages = 1; this.later(ms); };
    this.query.addEventListener('input', () => anew(250));
    this.days.addEventListener('change', () => anew(0));
    this.older.addEventListener('click', () => { this.pages += 1; this.later(0); });
    const heads = (...names: string[]): HTMLElement => h('thead', {}, h('tr', {}, ...names.map((n) => h('th', { scope: 'col' }, n))));
    const box = (title: string, head: HTMLElement, body: HTMLElement): HTMLElement => h('section', { class: 'panel' }, h('header', {}, h('h2', {}, title)),
      h('div', { class: 'inner scroll-x', tabindex: 0, role: 'region', 'aria-label': title }, h('table', { class: 'wide' }, head, body)));
    this.element = h('div', { class: 'stack' },
      h('header', { class: 'view-head' }, h('h1', {}, 'History')),
      h('div', { class: 'toolbar' }, h('label', { for: 'q', class: 'unseen' }, 'Search'), this.query, this.days, this.older, this.note),
      box('Incidents', heads('Began, UTC', 'Severity', 'Slice', 'Pattern', 'Cause', 'Seen', 'Lasted', 'Saved', 'As it was'), this.incidents),
      box('Interventions', heads('Decided, UTC', 'What', 'State', 'Outcome', 'Effect', 'Value', 'Why', 'Record'), this.decisions));
  }

  update(changes: Changes): void {
    if (changes.all) void this.search();
    else if (hasAny(changes, 'interventions', 'incidents')) this.later();
  }

  // What changed is looked up again, not oftener than every few seconds; typing goes first.
  private later(ms = 3000): void {
    if (this.timer && ms === 3000) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => { this.timer = 0; void this.search(); }, ms);
  }

  dispose(): void { clearTimeout(this.timer); }

  private async search(): Promise<void> {
    if (this.app.past()) return setText(this.note, 'The history knows what came later. Leave the replay to see it.');
    const days = Number(this.days.value);
    const from = days ? this.app.now() - days * 86_400_000 : 0;
    try {
      const q = this.query.value.trim();
      const api = this.app.api;
      const [found, acts] = await Promise.all([
        this.paged((to) => api.incidents(q, from, to), (i) => i.started_ms),
        this.paged((to) => api.interventions(q, from, to), (a) => a.decided_ms)]);
      [this.found, this.acts] = [found.items, acts.items];
      this.older.hidden = !found.more && !acts.more;
      const count = (list: unknown[], more: boolean, name: string): string =>
        `${more ? 'the newest ' : ''}${list.length} ${name}${list.length === 1 ? '' : 's'}`;
      setText(this.note, `${count(found.items, found.more, 'incident')}, ${count(acts.items, acts.more, 'intervention')}`);
    } catch (error) {
      setText(this.note, error instanceof Error ? error.message : String(error));
    }
    this.showIncidents();
    this.showDecisions();
  }

  // As many pages as were asked for; a page ends where the one before began.
  private async paged<T extends { id: string }>(
    ask: (to: number) => Promise<Listed<T>>, began: (item: T) => number): Promise<Listed<T>> {
    const all = new Map<string, T>();
    let to = 0, more = true;
    for (let page = 0; page < this.pages && more; page += 1) {
      const answer = await ask(to);
      for (const item of answer.items) all.set(item.id, item);
      more = answer.more;
      to = Math.min(...answer.items.map(began));
    }
    return { items: [...all.values()], more };
  }

  private showIncidents(): void {
    const c = this.app.currency();
    const sorted = [...this.found].sort((a, b) => b.started_ms - a.started_ms);
    replace(this.incidents, ...sorted.map((i) => h('tr', {}, h('td', {}, utcDate(i.started_ms)),
      h('td', {}, h('span', { class: 'with-mark' }, shape(severityLevel(i)), i.status === 'resolved' ? `was ${i.severity}` : sentence(i.severity))),
      h('th', { scope: 'row' }, h('a', { href: `#/incident/${encodeURIComponent(i.id)}` }, scopeName(i.scope))),
      h('td', {}, words(i.pattern)), h('td', {}, `${words(i.cause)} ${chance(i.posterior)}`), h('td', { title: seen(i).label }, seen(i).observed),
      h('td', {}, i.ended_ms ? duration(i.ended_ms - i.started_ms) : 'open'), h('td', {}, gain(i.saved_minor, c)),
      h('td', {}, h('a', { href: `#/replay/${i.raised_ms}/incident/${encodeURIComponent(i.id)}` }, 'replay')))));
    if (!sorted.length) replace(this.incidents, h('tr', {}, h('td', { colspan: 9, class: 'muted' }, 'None found.')));
  }

  private showDecisions(): void {
    const c = this.app.currency();
    const acts = [...this.acts].sort((a, b) => b.decided_ms - a.decided_ms);
    replace(this.decisions, ...acts.map((a) => {
      const judged = a.outcome.result !== 'pending';
      return h('tr', {}, h('td', {}, utcDate(a.decided_ms)),
        h('th', { scope: 'row' }, a.incident_id ? h('a', { href: `#/incident/${encodeURIComponent(a.incident_id)}` }, does(a)) : does(a)),
        h('td', {}, STATES[a.state] ?? a.state), h('td', {}, judged ? a.outcome.result : '–'),
        h('td', {}, judged ? points(a.outcome.effect.mean) : '–'), h('td', {}, a.outcome.value_minor ? gain(a.outcome.value_minor, c) : '–'), h('td', { class: 'muted' }, a.why),
        h('td', {}, a.audit_seq ? h('a', { href: `#/audit/${a.audit_seq}`, title: a.audit_hash ?? '' }, String(a.audit_seq)) : '–'));
    }));
    if (!acts.length) replace(this.decisions, h('tr', {}, h('td', { colspan: 8, class: 'muted' }, 'None.')));
  }
}
