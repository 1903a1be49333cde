// Now: is money being lost, where, since when, what is the agent doing about it.
import { type App, hasAny, type View } from '../app';
import { h, keyed, replace, setAttribute, setText } from '../dom';
import { actionName, chance, countdown, duration, gain, money, percent, points, rate, scopeName, seen, sentence, utc, words } from '../format';
import { does, isRunning, STATES } from '../parts/facts';
import { beliefBar, setShape, setSparkline, shape, sparkline } from '../parts/marks';
import { type Incident, type Intervention, scopeKey } from '../protocol';
import type { Changes } from '../store';
import type { Level } from '../severity';
import { Grid } from './grid';

const DEEDS = 6;  // so many of the newest interventions are told
const SEVERITY: Record<string, Level> = { high: 'severe', medium: 'bad', low: 'watch' };
export const severityLevel = (i: Incident): Level =>
  (i.status === 'resolved' ? 'ok' : SEVERITY[i.severity] ?? 'watch');

class Figure {
  value = h('span', { class: 'value' });
  note = h('span', { class: 'note' });
  element: HTMLElement;
  constructor(kind: string, label: string, extra?: Element) {
    this.element = h('div', { class: `figure ${kind}` },
      h('dt', {}, label, extra), h('dd', {}, this.value, this.note));
  }
  show(value: string, note: string): void {
    setText(this.value, value);
    setText(this.note, note);
  }
}

export class NowView implements View {
  title = 'Now';
  element: HTMLElement;
  private risk = new Figure('risk', 'At risk now');
  private lost = new Figure('lost', 'Lost today');
  private saved = new Figure('saved', 'Saved today');
  private spark = sparkline();
  private success = new Figure('success', 'Success', this.spark);
  private rate = new Figure('rate', 'Attempts');
  private conclusion = h('p', { class: 'conclusion' });
  private waiting = h('a', { class: 'waiting', href: '#/approvals' });
  private cards = h('div', { class: 'cards' });
  private count = h('span', { class: 'muted' });
  private grid: Grid;
  private deeds = h('ul', { class: 'deeds' });

  constructor(private app: App) {
    this.grid = new Grid(app);
    this.element = h('div', { class: 'now' },
      h('h1', { class: 'unseen' }, 'Now'),
      h('section', { class: 'hero', 'aria-label': 'Money and traffic' },
        h('dl', { class: 'figures' }, this.risk.element, this.lost.element, this.saved.element,
          this.success.element, this.rate.element),
        this.conclusion),
      h('section', { class: 'incidents', 'aria-labelledby': 'incidents-title' },
        this.waiting,
        h('header', { class: 'side-head' }, h('h2', { id: 'incidents-title' }, 'Incidents'), this.count),
        this.cards),
      h('div', { class: 'main-column' }, this.grid.element,
        h('section', { class: 'panel', 'aria-labelledby': 'deeds-title' },
          h('header', {}, h('h2', { id: 'deeds-title' }, 'What the agent did'), h('a', { href: '#/learned' }, 'did it help?')),
          this.deeds)));
  }

  update(changes: Changes): void {
    if (hasAny(changes, 'header', 'cells')) this.showFigures();
    if (hasAny(changes, 'incidents', 'interventions')) this.showIncidents();
    if (hasAny(changes, 'cells')) this.grid.update(changes.all);
  }

  tick(): void {
    this.showIncidents();
    this.grid.update(false);
  }
  dispose(): void { this.grid.dispose(); }

  private showFigures(): void {
    const header = this.app.store.header;
    const all = this.app.store.state.cells['*|*|*'];
    if (!header) return;
    const c = header.currency;
    this.risk.show(money(header.at_risk_minor_per_min, c), 'a minute');
    this.risk.element.classList.toggle('nothing', header.at_risk_minor_per_min <= 0);
    this.lost.show(money(header.lost_today_minor, c), 'to failures above the usual');
    this.saved.show(money(header.saved_today_minor, c), 'by interventions');
    this.success.show(percent(header.success), all ? `usual ${percent(all.baseline)}` : '');
    if (all) setSparkline(this.spark, all.spark, all.baseline);
    this.rate.show(rate(header.attempts_per_s), 'at present');
    setText(this.conclusion, header.conclusion ? `${sentence(header.conclusion)}.`.replace(/\.\.$/, '.') : '');
    this.conclusion.hidden = !header.conclusion;
  }

  private showIncidents(): void {
    const { incidents, interventions } = this.app.store.state;
    const sorted = Object.values(incidents).sort(byWeight);
    const open = sorted.filter((i) => i.status !== 'resolved');
    setText(this.count, `${open.length} open${sorted.length > open.length ? `, ${sorted.length - open.length} resolved within the hour` : ''}`);
    if (sorted.length) {
      keyed(this.cards, sorted, (i) => i.id, () => new Card(this.app).element,
        (element, i) => cardOf.get(element)?.show(i, interventions));
    } else if (!this.cards.querySelector('.empty')) {
      replace(this.cards, h('p', { class: 'empty' }, 'Nothing is degraded. The agent watches every attempt.'));
    }
    this.showDeeds(Object.values(interventions));
    this.showWaiting(Object.values(interventions).filter((i) => i.state === 'proposed'));
  }

  private showDeeds(all: Intervention[]): void {
    // The heartbeat is about nothing in particular.
    const done = all.filter((i) => i.state !== 'proposed' && !(i.type === 'alert_ops' && scopeKey(i.scope) === '*|*|*'))
      .sort((a, b) => Number(isRunning(b)) - Number(isRunning(a)) || b.decided_ms - a.decided_ms).slice(0, DEEDS);
    const c = this.app.currency();
    const now = this.app.now();
    if (!done.length) return replace(this.deeds, h('li', { class: 'muted' }, 'Nothing within the hour.'));
    keyed(this.deeds, done, (i) => i.id, () => h('li', {}, h('time', { class: 'muted' }), h('span', {}), h('span', { class: 'state-word' }), h('span', {}), h('b', {})),
      (element, i) => {
        const [when, what, state, result, value] = element.children as unknown as [Element, Element, Element, Element, Element];
        const judged = i.outcome.result && i.outcome.result !== 'pending';
        setText(when, utc(i.issued_ms || i.decided_ms));
        setText(what, does(i));
        setAttribute(state, 'class', `state-word ${i.state}`);
        setText(state, isRunning(i) && i.expires_ms > now ? `${STATES[i.state] ?? i.state}, ${countdown(i.expires_ms - now)}` : STATES[i.state] ?? i.state);
        setText(result, judged ? `${i.outcome.result}, ${points(i.outcome.effect.mean)}` : '');
        setText(value, i.outcome.value_minor ? gain(i.outcome.value_minor, c) : '');
        setAttribute(value, 'class', i.outcome.value_minor < 0 ? 'lossy' : 'gained');
      });
  }

  private showWaiting(proposals: Intervention[]): void {
    this.waiting.hidden = proposals.length === 0;
    if (proposals.length === 0) return;
    const first = Math.min(...proposals.map((i) => i.answer_by_ms));
    setText(this.waiting, proposals.length === 1 ? 'One proposal waits for a person'
      : `${proposals.length} proposals wait for a person`);
    this.waiting.append(h('b', {}, countdown(first - this.app.now())), h('span', { class: 'go' }, 'Review'));
  }
}

function byWeight(a: Incident, b: Incident): number {
  const rank = (i: Incident): number =>
    (i.status === 'resolved' ? 9 : { high: 0, medium: 1, low: 2 }[i.severity] ?? 3);
  return rank(a) - rank(b) || b.at_risk_minor_per_min - a.at_risk_minor_per_min
    || b.started_ms - a.started_ms;
}

const cardOf = new WeakMap<HTMLElement, Card>();

class Card {
  element: HTMLElement;
  private mark = shape('none');
  private level = h('span', { class: 'word' });
  private when = h('span', { class: 'when' });
  private name = h('a', {});
  private what = h('p', { class: 'what' });
  private cause = h('p', { class: 'cause' });
  private belief = h('div', { class: 'belief-box' });
  private doing = h('ul', { class: 'doing' });
  private money = h('p', { class: 'money' });
  private shown = '';

  constructor(private app: App) {
    this.element = h('article', { class: 'card' },
      h('header', {}, this.mark, this.level, this.when), h('h3', {}, this.name),
      this.what, this.cause, this.belief, this.doing, this.money);
    cardOf.set(this.element, this);
  }

  show(i: Incident, interventions: Record<string, Intervention>): void {
    const now = this.app.now();
    const over = i.status === 'resolved';
    setText(this.when, over ? `${utc(i.started_ms)} to ${utc(i.ended_ms)} UTC, ${duration(i.ended_ms - i.started_ms)}`
      : `since ${utc(i.started_ms)} UTC, ${duration(now - i.started_ms)}`);
    const acts = i.interventions.map((id) => interventions[id]).filter((a) => a !== undefined);
    const first = acts.slice(0, 4);
    keyed(this.doing, first, (a) => a.id, () => h('li', {}, h('span', { class: 'act' }), h('span', { class: 'state' })),
      (element, a) => this.showAct(element, a, now));
    const key = JSON.stringify([i.status, i.severity, i.posterior, i.cause, i.observed, i.saved_minor, i.at_risk_minor_per_min]);
    if (key === this.shown) return;
    this.shown = key;
    const level = severityLevel(i);
    setAttribute(this.element, 'class', `card ${level}`);
    setShape(this.mark, level);
    setText(this.level, over ? 'Resolved' : `${sentence(i.severity)} · ${words(i.pattern)}`);
    setText(this.name, scopeName(i.scope));
    setAttribute(this.name, 'href', `#/incident/${encodeURIComponent(i.id)}`);
    const what = seen(i);
    replace(this.what, h('b', {}, what.observed), ` ${what.verb} where ${what.usual} is usual`);
    replace(this.cause, h('b', {}, sentence(i.cause)), ` ${chance(i.posterior)} sure`);
    replace(this.belief, i.hypotheses.length ? beliefBar(i.hypotheses) : null);
    const c = this.app.currency();
    replace(this.money, !over && h('span', {}, h('b', {}, money(i.at_risk_minor_per_min, c)), ' a minute at risk'),
      h('span', { class: i.saved_minor > 0 ? 'gained' : 'muted' }, i.saved_minor ? `${gain(i.saved_minor, c)} saved` : 'nothing saved yet'));
  }

  private showAct(element: HTMLElement, a: Intervention, now: number): void {
    const [what, state] = element.children as unknown as [HTMLElement, HTMLElement];
    setText(what, a.type === 'alert_ops' ? actionName(a.type) : does(a));
    setAttribute(element, 'class', a.state);
    let text = STATES[a.state] ?? a.state;
    if (a.state === 'proposed') text = `waits for a person, ${countdown(a.answer_by_ms - now)}`;
    else if (isRunning(a) && a.expires_ms > now) text = `${text}, ends in ${countdown(a.expires_ms - now)}`;
    setText(state, text);
  }
}
