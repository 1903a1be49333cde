// Graph: the agent's phases and nodes; what ran in the last cycle is lit and timed.
import { type App, hasAny, type View } from '../app';
import { h, keyed, setText } from '../dom';
import { number, words } from '../format';
import type { GraphNode } from '../protocol';
import type { Changes } from '../store';

const DOES: Record<string, string> = {
  observe: 'Takes in what has been paid and what has failed, by issuer, method and gateway.',
  reason: 'Holds it against the usual, raises alarms, and weighs what would explain them.',
  decide: 'Prices every way to act, and doing nothing, over the next minutes.',
  gate: 'Asks how it could go wrong, and keeps to the limits and to what people have said.',
  act: 'Publishes what has passed, and ends what is over or does harm.',
  learn: 'Compares those treated with those held out, and remembers.',
};
const PHASES = Object.keys(DOES);

export class GraphView implements View {
  title = 'Graph';
  element: HTMLElement;
  private note = h('p', { class: 'muted' });
  private phases = h('ol', { class: 'phases' });

  constructor(private app: App) {
    this.element = h('div', {}, h('header', { class: 'view-head' }, h('h1', {}, 'Graph'), this.note), this.phases);
  }

  update(changes: Changes): void {
    if (!hasAny(changes, 'graph', 'header')) return;
    const nodes = Object.values(this.app.store.state.graph);
    const total = nodes.reduce((sum, n) => sum + n.us, 0);
    const longest = Math.max(1, ...nodes.map((n) => n.us));
    setText(this.note, `Cycle ${number(this.app.store.header?.step)}: ${nodes.filter((n) => n.ran).length} of ${nodes.length} nodes ran, ${number(total / 1000, 2)} ms`);
    const there = new Set(nodes.map((n) => n.phase));
    const known = [...PHASES.filter((p) => there.has(p)), ...[...there].filter((p) => !PHASES.includes(p))];
    keyed(this.phases, known, (p) => p, (p) => h('li', { class: 'phase' }, h('h2', {}, words(p)), h('p', { class: 'muted' }, DOES[p] ?? ''), h('ul', {})), (element, p) => {
      keyed(element.lastElementChild as Element, nodes.filter((n) => n.phase === p), (n) => n.node, makeNode, (e, n) => showNode(e, n, longest));
    });
  }
}

function makeNode(): HTMLElement {
  return h('li', { class: 'node' }, h('span', { class: 'node-name' }), h('span', { class: 'node-time' }), h('span', { class: 'node-bar', 'aria-hidden': 'true' }));
}

function showNode(element: HTMLElement, n: GraphNode, longest: number): void {
  const [name, time, bar] = element.children as unknown as HTMLElement[];
  element.classList.toggle('ran', n.ran);
  if (name) setText(name, words(n.node));
  if (time) setText(time, n.ran ? n.us > 0 ? `${number(n.us)} µs` : '< 1 µs' : 'did not run');
  if (bar) bar.style.width = `${(100 * (n.ran ? n.us : 0)) / longest}%`;
}
