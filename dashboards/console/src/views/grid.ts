// The issuer × method grid: worst first, only the rows in view exist. A cell is drawn again only
// when its value is another one.
import type { App } from '../app';
import { h, setAttribute, setText } from '../dom';
import { number, percent, rate, words } from '../format';
import { setShape, setSparkline, shape, sparkline } from '../parts/marks';
import type { Cell } from '../protocol';
import { badness, levelOf, WORDS } from '../severity';

const ORDER_EVERY_MS = 1000;
const SPARE_ROWS = 1;
const ROWS_A_FRAME = 4;    // so many are drawn again in one frame, the others in the next
const BOUNDED_FROM = 24;  // so many issuers and more scroll within the grid
const ROOMY_TO = 9;       // so few have higher rows

class CellView {
  private mark = shape('none');
  private rate = h('b', { class: 'success' });
  private z = h('span', { class: 'z' });
  private spark = sparkline();
  readonly link: HTMLAnchorElement;
  private shown: Cell | undefined | null = null;

  constructor(readonly element: HTMLElement, private what: string) {
    this.link = h('a', { tabindex: -1, class: 'cell-link' },
      h('span', { class: 'top' }, this.mark, this.rate, ' ', this.z), ' ', this.spark);
    element.append(this.link);
  }

  show(cell: Cell | undefined, scope: string, name: string): void {
    const href = `#/series/${encodeURIComponent(scope)}`;
    if (cell === this.shown && this.link.getAttribute('href') === href) return;
    this.shown = cell;
    setAttribute(this.link, 'href', href);
    const level = levelOf(cell);
    const there = cell !== undefined && level !== 'none';
    const success = there ? percent(cell.success) : '–';
    const z = there ? `z ${number(cell.z, Math.abs(cell.z) < 10 ? 1 : 0)}` : '';
    setAttribute(this.element, 'class', `${this.what} ${level}`);
    setShape(this.mark, level);
    setText(this.rate, success);
    setText(this.z, z);
    if (cell) setSparkline(this.spark, cell.spark, cell.baseline);
    // What is seen comes first, word for word, so that it can be said to who is listening.
    setAttribute(this.link, 'aria-label', `${name} ${success} ${z}: ${WORDS[level]}${there
      ? `, usual ${percent(cell.baseline)}, ${rate(cell.per_s)}` : ''}${there
      && cell.signal !== 'success_rate' && level !== 'ok' ? `, worst in ${words(cell.signal)}` : ''}`);
  }
}

class Row {
  readonly element = h('div', { role: 'row', class: 'grid-row' });
  private head = new CellView(h('div', { role: 'rowheader' }), 'grid-cell head');
  private name = h('span', { class: 'issuer' });
  private cells: CellView[] = [];
  index = -1;
  issuer = '';
  gateway = '';

  constructor(methods: readonly string[]) {
    this.head.link.prepend(this.name, ' ');
    this.element.append(this.head.element);
    for (let i = 0; i < methods.length; i++) {
      const cell = new CellView(h('div', { role: 'gridcell' }), 'grid-cell');
      this.cells.push(cell);
      this.element.append(cell.element);
    }
  }

  links(): HTMLAnchorElement[] { return [this.head.link, ...this.cells.map((c) => c.link)]; }

  show(index: number, issuer: string, methods: readonly string[], gateway: string,
    cells: Record<string, Cell>): void {
    if (index !== this.index) {
      this.index = index;
      this.element.style.transform = `translateY(calc(${index} * var(--row)))`;
      setAttribute(this.element, 'aria-rowindex', String(index + 2));
    }
    this.issuer = issuer;
    this.gateway = gateway;
    setText(this.name, issuer);
    const margin = `${issuer}|*|${gateway}`;
    this.head.show(cells[margin], margin, issuer);
    methods.forEach((method, i) => {
      const key = `${issuer}|${method}|${gateway}`;
      this.cells[i]?.show(cells[key], key, `${issuer} ${method}`);
    });
  }
}

export class Grid {
  readonly element: HTMLElement;
  private scroller = h('div', { class: 'grid-scroll' });
  private table = h('div', { role: 'grid', class: 'grid', 'aria-label': 'Success by issuer and method' });
  private headRow = h('div', { role: 'row', class: 'grid-row grid-head', 'aria-rowindex': 1 });
  private body = h('div', { role: 'rowgroup', class: 'grid-body' });
  private gateways = h('fieldset', { class: 'switch' }, h('legend', { class: 'unseen' }, 'Gateway'));
  private find = h('input', { type: 'search', placeholder: 'Find issuer', 'aria-label': 'Find issuer', class: 'find' });
  private count = h('span', { class: 'muted' });
  private gateway = '*';
  private methods: string[] = [];
  private issuers: string[] = [];
  private order: string[] = [];
  private rows: Row[] = [];
  private heads: CellView[] = [];
  private ordered_at = 0;
  private focus = { row: -1, column: 0 };
  private resized: ResizeObserver;
  private later = new Set<Row>();
  private frame = 0;
  private roved = '';

  constructor(private app: App) {
    this.table.append(h('div', { role: 'rowgroup', class: 'grid-top' }, this.headRow), this.body);
    this.scroller.append(this.table);
    this.element = h('section', { class: 'panel grid-panel', 'aria-labelledby': 'grid-title' },
      h('header', {}, h('h2', { id: 'grid-title' }, 'Issuers × methods'), this.count, this.find, this.gateways),
      this.scroller, legend());
    this.scroller.addEventListener('scroll', () => this.draw(), { passive: true });
    this.table.addEventListener('keydown', (event) => this.move(event));
    this.table.addEventListener('focusin', (event) => this.focused(event));
    this.find.addEventListener('input', () => { this.scroller.scrollTop = 0; this.arrange(); this.draw(); });
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.scroller);
  }

  dispose(): void {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
  }

  update(all: boolean): void {
    if (all || this.issuers.length === 0) this.learnDimensions();
    const now = performance.now();
    const busy = this.table.matches(':hover') || this.table.contains(document.activeElement);
    if (all || (now - this.ordered_at > ORDER_EVERY_MS && !busy)) this.arrange();
    this.draw();
  }

  private learnDimensions(): void {
    const cells = this.app.store.state.cells;
    const issuers = new Set<string>();
    const methods = new Map<string, number>();
    const gateways = new Set<string>();
    for (const [key, cell] of Object.entries(cells)) {
      const [issuer = '*', method = '*', gateway = '*'] = key.split('|');
      if (issuer !== '*') issuers.add(issuer);
      if (gateway !== '*') gateways.add(gateway);
      if (method !== '*' && issuer === '*' && gateway === '*') methods.set(method, cell.per_s);
      else if (method !== '*' && !methods.has(method)) methods.set(method, 0);
    }
    this.issuers = [...issuers].sort();
    const sorted = [...methods].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([m]) => m);
    if (sorted.length !== this.methods.length || sorted.some((m) => !this.methods.includes(m))) this.build(sorted);
    this.buildGateways([...gateways].sort());
    this.find.hidden = this.issuers.length < 12;
    this.element.classList.toggle('roomy', this.issuers.length <= ROOMY_TO);
    this.element.classList.toggle('bounded', this.issuers.length >= BOUNDED_FROM);
  }

  private build(methods: string[]): void {
    this.methods = methods;
    this.table.style.setProperty('--columns', String(methods.length));
    setAttribute(this.table, 'aria-colcount', String(methods.length + 1));
    this.headRow.replaceChildren(h('div', { role: 'columnheader', class: 'grid-cell head corner' },
      h('span', { class: 'muted' }, 'worst first')));
    this.heads = methods.map((method) => {
      const view = new CellView(h('div', { role: 'columnheader' }), 'grid-cell column');
      view.link.prepend(h('span', { class: 'issuer' }, method), ' ');
      this.headRow.append(view.element);
      return view;
    });
    this.rows = [];
    this.later.clear();
    this.roved = '';
    this.body.replaceChildren();
  }

  private buildGateways(names: string[]): void {
    const wanted = ['*', ...names];
    const there = [...this.gateways.querySelectorAll('input')].map((i) => i.value);
    if (wanted.join() === there.join()) return;
    this.gateways.hidden = names.length === 0;
    this.gateways.replaceChildren(this.gateways.firstElementChild as Element, ...wanted.map((name) => {
      const input = h('input', { type: 'radio', name: 'gateway', value: name });
      input.checked = name === this.gateway;
      input.addEventListener('change', () => { this.gateway = name; this.arrange(); this.draw(); });
      return h('label', {}, input, h('span', {}, shape('none'), name === '*' ? 'All gateways' : name));
    }));
  }

  private arrange(): void {
    this.ordered_at = performance.now();
    const cells = this.app.store.state.cells;
    const wanted = this.find.value.trim().toLowerCase();
    const worst = new Map<string, number>();
    for (const issuer of this.issuers) {
      if (wanted && !issuer.toLowerCase().includes(wanted)) continue;
      let bad = -1;
      for (const method of this.methods) {
        bad = Math.max(bad, badness(cells[`${issuer}|${method}|${this.gateway}`]));
      }
      // What is as usual stays where it was: rows move for a reason only.
      worst.set(issuer, bad < 1000 ? 0 : bad);
    }
    // The sort is stable and the issuers are in order already.
    this.order = [...worst.keys()].sort((a, b) => (worst.get(b) ?? 0) - (worst.get(a) ?? 0));
    const bad = [...worst.values()].filter((w) => w >= 2000).length;
    setText(this.count, `${bad} of ${number(this.order.length)} degraded`);
    setAttribute(this.table, 'aria-rowcount', String(this.order.length + 1));
    this.body.style.height = `calc(${this.order.length} * var(--row))`;
  }

  private draw(): void {
    const cells = this.app.store.state.cells;
    this.heads.forEach((head, i) => {
      const scope = `*|${this.methods[i]}|${this.gateway}`;
      head.show(cells[scope], scope, this.methods[i] ?? '');
    });
    for (const label of this.gateways.querySelectorAll('label')) {
      const name = label.querySelector('input')?.value ?? '*';
      const mark = label.querySelector('svg');
      if (mark) setShape(mark, levelOf(cells[`*|*|${name}`]));
    }
    const { from, to } = this.visible();
    const needed = Math.max(0, to - from);
    while (this.rows.length < needed) {
      const row = new Row(this.methods);
      this.rows.push(row);
      this.body.append(row.element);
    }
    while (this.rows.length > needed) this.rows.pop()?.element.remove();
    // A row element keeps its index while that is in view, so that focus stays where it is.
    const free = this.rows.filter((r) => r.index < from || r.index >= to);
    const at = new Map(this.rows.filter((r) => r.index >= from && r.index < to).map((r) => [r.index, r]));
    for (let i = from; i < to; i++) {
      const row = at.get(i) ?? free.pop();
      const issuer = this.order[i];
      if (!row || issuer === undefined) continue;
      if (row.index === i && row.issuer === issuer && row.gateway === this.gateway) this.later.add(row);
      else row.show(i, issuer, this.methods, this.gateway, cells);
    }
    this.rove();
    if (!this.frame && this.later.size) this.frame = requestAnimationFrame(() => this.drawSome());
  }

  // Rows that stay where they are take their new values a few a frame, so that no frame is long.
  private drawSome(): void {
    this.frame = 0;
    let n = 0;
    for (const row of this.later) {
      if (n++ === ROWS_A_FRAME) break;
      this.later.delete(row);
      if (row.index >= 0 && row.element.isConnected) {
        row.show(row.index, row.issuer, this.methods, this.gateway, this.app.store.state.cells);
      }
    }
    if (this.later.size) this.frame = requestAnimationFrame(() => this.drawSome());
  }

  private visible(): { from: number; to: number } {
    const count = this.order.length;
    if (count < BOUNDED_FROM && this.issuers.length < BOUNDED_FROM) return { from: 0, to: count };
    const row = this.rows[0]?.element.offsetHeight || 50;
    const first = Math.min(Math.floor(this.scroller.scrollTop / row), count - 1);
    const shown = Math.ceil((this.scroller.clientHeight || 800) / row);
    return { from: Math.max(0, first - SPARE_ROWS), to: Math.min(count, first + shown + SPARE_ROWS) };
  }

  // One cell is in the tab order; the arrows move among the others.
  private rove(): void {
    const rows = this.rows.filter((r) => r.index >= 0);
    const row = rows.find((r) => r.index === this.focus.row) ?? rows.find((r) => r.index === 0) ?? rows[0];
    const key = `${rows.map((r) => r.index).join()} ${row?.index} ${this.focus.column}`;
    if (key === this.roved) return;
    this.roved = key;
    for (const r of this.rows) {
      r.links().forEach((link, i) => {
        setAttribute(link, 'tabindex', r === row && i === this.focus.column ? '0' : '-1');
      });
    }
  }

  private focused(event: FocusEvent): void {
    const row = this.rows.find((r) => r.element.contains(event.target as Node));
    if (row) this.focus = { row: row.index, column: row.links().indexOf(event.target as HTMLAnchorElement) };
  }

  private move(event: KeyboardEvent): void {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step || this.focus.row < 0) return;
    event.preventDefault();
    const row = Math.min(this.order.length - 1, Math.max(0, this.focus.row + (step[0] ?? 0)));
    const column = Math.min(this.methods.length, Math.max(0, this.focus.column + (step[1] ?? 0)));
    this.focus = { row, column };
    if (this.element.classList.contains('bounded')) this.reveal(row);
    this.draw();
    this.rows.find((r) => r.index === row)?.links()[column]?.focus();
  }

  private reveal(row: number): void {
    const height = this.rows[0]?.element.offsetHeight || 50;
    const top = row * height;
    const room = this.scroller.clientHeight - this.headRow.offsetHeight - height;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top > this.scroller.scrollTop + room) this.scroller.scrollTop = top - room;
  }
}

function legend(): HTMLElement {
  const entry = (level: 'ok' | 'watch' | 'bad' | 'severe' | 'learning', text: string): HTMLElement =>
    h('span', {}, shape(level), text);
  return h('footer', { class: 'legend' },
    entry('severe', 'severe, z ≥ 10'), entry('bad', 'degraded, z ≥ 4'), entry('watch', 'watch, z ≥ 2.5'),
    entry('ok', 'as usual'), entry('learning', 'learning'),
    h('span', { class: 'muted' }, 'z: standard errors worse than usual · lines: success, last 5 min'));
}
