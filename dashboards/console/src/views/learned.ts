// Learned: what was tried, on whom, and what came of it, as intervals on one scale.
import { type App, hasAny, type View } from '../app';
import { h, replace } from '../dom';
import { actionName, gain, number, points, scopeName, utc, utcDate, words } from '../format';
import { intervalMark, scaleOf } from '../parts/marks';
import type { Effect, Intervention } from '../protocol';
import type { Changes } from '../store';

export class LearnedView implements View {
  title = 'Learned';
  element = h('div', { class: 'stack' });
  private shown = '';

  constructor(private app: App) {}

  update(changes: Changes): void {
    if (!hasAny(changes, 'interventions', 'effects')) return;
    const judged = Object.values(this.app.store.state.interventions).filter((i) => i.outcome.treated.payments > 0);
    const effects = Object.values(this.app.store.state.effects);
    const key = JSON.stringify([judged.map((i) => [i.id, i.outcome, i.state]), effects]);
    if (key === this.shown && !changes.all) return;
    this.shown = key;
    const types = new Map<string, Intervention[]>();
    for (const i of judged) types.set(i.type, [...(types.get(i.type) ?? []), i]);
    const scale = scaleOf(judged.map((i) => i.outcome.effect));
    replace(this.element, h('header', { class: 'view-head' }, h('h1', {}, 'Learned'),
      h('p', { class: 'muted' }, 'What each intervention did to the conversion of those treated, against those held out.')),
    effects.length ? posteriors(effects) : null,
    ...[...types].sort((a, b) => b[1].length - a[1].length).map(([type, list]) => this.type(type, list, scale)),
    judged.length ? null : h('p', { class: 'empty' }, 'Nothing has been tried within the hour.'));
  }

  private type(type: string, list: Intervention[], scale: [number, number]): HTMLElement {
    const c = this.app.currency();
    const count = (result: string): number => list.filter((i) => i.outcome.result === result).length;
    const value = list.reduce((sum, i) => sum + i.outcome.value_minor, 0);
    const name = actionName(type);
    return h('section', { class: 'panel' }, h('header', {}, h('h2', {}, name),
      h('span', { class: 'muted' }, `${count('improved')} improved, ${count('worse')} worse, ${count('inconclusive')} inconclusive, ${count('pending')} not decided`),
      h('b', { class: value < 0 ? 'lossy' : 'gained' }, gain(value, c))),
    h('div', { class: 'inner scroll-x', tabindex: 0, role: 'region', 'aria-label': name }, h('table', { class: 'wide learned' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Where'), h('th', { scope: 'col' }, 'When, UTC'), h('th', { scope: 'col' }, 'Effect, 9 in 10 lie within'),
        h('th', { scope: 'col', class: 'num' }, 'Mean'), h('th', { scope: 'col', class: 'num' }, 'Treated'), h('th', { scope: 'col', class: 'num' }, 'Held out'), h('th', { scope: 'col' }, 'Result'))),
      h('tbody', {}, ...list.map((i) => {
        const e = i.outcome.effect;
        const text = `${points(e.low)} to ${points(e.high)}`;
        return h('tr', {}, h('th', { scope: 'row' }, scopeName(i.scope)), h('td', {}, utc(i.issued_ms)),
          h('td', { class: 'bar-cell' }, intervalMark(e, scale, text), h('small', {}, text)), h('td', { class: 'num' }, points(e.mean)),
          h('td', { class: 'num' }, number(i.outcome.treated.payments)), h('td', { class: 'num' }, number(i.outcome.holdout.payments)),
          h('td', {}, i.outcome.result === 'pending' ? 'not decided' : i.outcome.result));
      })))));
  }
}

// What the agent now takes an effect to be: 1 is as reasoning predicts, 0 none, below 0 harm.
function posteriors(effects: readonly Effect[]): HTMLElement {
  const scale = scaleOf([...effects.map((e) => e.factor), { mean: 1, low: 1, high: 1 }]);
  const rows = [...effects].sort((a, b) => a.type.localeCompare(b.type) || b.outcomes - a.outcomes);
  return h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'What is believed of effects'),
    h('span', { class: 'muted' }, 'a factor on the predicted effect: 1 as predicted, 0 none, below 0 harm')),
  h('div', { class: 'inner scroll-x', tabindex: 0, role: 'region', 'aria-label': 'Effect posteriors' }, h('table', { class: 'wide learned' },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Way to act'), h('th', { scope: 'col' }, 'Against, where'), h('th', { scope: 'col' }, 'Factor, 9 in 10 lie within'),
      h('th', { scope: 'col', class: 'num' }, 'Mean'), h('th', { scope: 'col', class: 'num' }, 'Outcomes'), h('th', { scope: 'col', class: 'num' }, 'Improved'), h('th', { scope: 'col', class: 'num' }, 'Worse'))),
    h('tbody', {}, ...rows.map((e) => {
      const text = `${number(e.factor.low, 2)} to ${number(e.factor.high, 2)}`;
      return h('tr', { title: `last changed ${utcDate(e.updated_ms)} UTC` }, h('th', { scope: 'row' }, actionName(e.type)),
        h('td', {}, `${words(e.cause)}, ${peerName(e.peer)}`), h('td', { class: 'bar-cell' }, intervalMark(e.factor, scale, text), h('small', {}, text)),
        h('td', { class: 'num' }, number(e.factor.mean, 2)), h('td', { class: 'num' }, number(e.outcomes)), h('td', { class: 'num' }, number(e.improved)), h('td', { class: 'num' }, number(e.worse)));
    })))));
}

function peerName(peer: string): string {
  const [issuer, method, gateway] = peer.split('|');
  return issuer && method && gateway ? scopeName({ issuer, method, gateway }) : peer === '*' ? 'anywhere' : peer;
}
