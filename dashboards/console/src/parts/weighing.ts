// What was weighed for an intervention: its value against the alternatives, what the pre-mortem
// found, what the gate said, and what came of it. Shared by the views that show one.
import { h } from '../dom';
import { actionName, chance, gain, money, number, percent, points, scopeName, sentence } from '../format';
import type { Intervention, Outcome, Range } from '../protocol';
import { does } from './facts';
import { intervalMark, scaleOf } from './marks';

const rangeText = (r: Range, currency: string): string =>
  `${money(r.low, currency)} to ${money(r.high, currency)}`;

// Options on one scale, the chosen first: a dot is the mean, the bar nine in ten.
export function options(i: Intervention, currency: string): HTMLElement {
  const rows = [
    { type: i.type, scope: i.scope, nrv: i.nrv as Range, note: i.reason, chosen: true },
    ...i.alternatives.map((a) => ({ type: a.type, scope: a.scope, nrv: a.nrv, note: a.why_not, chosen: false })),
  ];
  const scale = scaleOf(rows.map((row) => row.nrv));
  return h('div', { class: 'scroll-x', tabindex: 0, role: 'region', 'aria-label': `Options and their value: ${does(i)}, ${i.id}` },
    h('table', { class: 'options' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Option'), h('th', { scope: 'col', class: 'num' }, 'Net value'),
        h('th', { scope: 'col' }, '9 in 10 lie within'), h('th', { scope: 'col' }, 'Why, or why not'))),
      h('tbody', {}, ...rows.map((row) => h('tr', { class: row.chosen ? 'chosen' : '' },
        h('th', { scope: 'row' }, actionName(row.type), h('small', {}, row.chosen ? 'proposed' : row.type === 'no_action' ? '' : scopeName(row.scope))),
        h('td', { class: 'num' }, gain(row.nrv.mean, currency)),
        h('td', { class: 'bar-cell' }, intervalMark(row.nrv, scale, rangeText(row.nrv, currency)),
          h('small', {}, rangeText(row.nrv, currency))),
        h('td', {}, row.note))))));
}

export function valueItems(i: Intervention, currency: string): HTMLElement {
  return h('dl', { class: 'items' }, ...i.nrv.items.map((item) => h('div', {},
    h('dt', {}, sentence(item.name)), h('dd', { class: item.amount_minor < 0 ? 'muted' : '' }, gain(item.amount_minor, currency)))),
  h('div', { class: 'sum' }, h('dt', {}, 'Net value'), h('dd', {}, gain(i.nrv.mean, currency))));
}

export function findings(i: Intervention, currency: string): HTMLElement {
  if (!i.findings.length) return h('p', { class: 'muted' }, 'The pre-mortem found nothing.');
  return h('ul', { class: 'findings' }, ...i.findings.map((f) => h('li', {},
    h('p', {}, h('b', {}, sentence(f.mode)), h('span', { class: 'muted' }, `  ${chance(f.probability)} likely, ${money(f.cost_minor, currency)} if so`)),
    h('p', {}, f.because),
    f.mitigation ? h('p', { class: 'muted' }, `Against it: ${f.mitigation}.`) : null)));
}

export function gate(i: Intervention): HTMLElement {
  if (!i.gate.length) return h('p', { class: 'muted' }, 'No limit spoke.');
  return h('ul', { class: 'gate' }, ...i.gate.map((text) => h('li', {}, sentence(text))));
}

const share = (a: { payments: number; conversions: number }): number | null =>
  (a.payments ? a.conversions / a.payments : null);

export function outcome(o: Outcome, currency: string): HTMLElement {
  const arm = (name: string, a: Outcome['treated']): HTMLElement => h('tr', {}, h('th', { scope: 'row' }, name),
    h('td', { class: 'num' }, number(a.payments)), h('td', { class: 'num' }, number(a.conversions)),
    h('td', { class: 'num' }, percent(share(a))));
  return h('div', { class: 'outcome' },
    h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Arm'), h('th', { scope: 'col', class: 'num' }, 'Payments'),
      h('th', { scope: 'col', class: 'num' }, 'Converted'), h('th', { scope: 'col', class: 'num' }, 'Share'))),
    h('tbody', {}, arm('Treated', o.treated), arm('Held out', o.holdout))),
    h('p', {}, h('b', {}, points(o.effect.mean)), ` difference, 9 in 10 within ${points(o.effect.low)} to ${points(o.effect.high)}: `,
      h('b', {}, o.result === 'pending' ? 'not decided yet' : o.result), '. ',
      o.value_minor ? h('span', { class: o.value_minor > 0 ? 'gained' : 'lossy' }, `${gain(o.value_minor, currency)}.`) : null));
}
