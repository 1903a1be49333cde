// Audit: has anybody changed a byte, and what does a record say?
import { mayAudit, told } from '../api';
import type { App, View } from '../app';
import { h, replace, setText } from '../dom';
import { number, sentence, utcDate, words } from '../format';

export class AuditView implements View {
  title = 'Audit';
  element: HTMLElement;
  private result = h('div', { role: 'status' });
  private record = h('pre', { class: 'record', tabindex: 0, hidden: true, 'aria-label': 'The record' });
  private wrong = h('p', { class: 'lossy', role: 'alert' });

  private newest = h('tbody', {});
  private older = h('button', { type: 'button', hidden: true }, 'Older');
  private before = 0;
  private seq = h('input', { id: 'seq', inputmode: 'numeric', pattern: '[0-9]+', required: true, size: 12 });

  constructor(private app: App, argument: string) {
    const verify = h('button', { type: 'button', class: 'primary' }, 'Verify the log');
    verify.addEventListener('click', () => void this.verify(verify));
    const seq = this.seq;
    const form = h('form', { class: 'toolbar' }, h('label', { for: 'seq' }, 'Record number'), seq, h('button', {}, 'Show'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.show(seq.value);
    });
    const may = mayAudit(app.api.me?.role ?? '');
    verify.disabled = !may;
    for (const e of form.querySelectorAll<HTMLInputElement | HTMLButtonElement>('input, button')) e.disabled = !may;
    this.element = h('div', { class: 'stack pairwise' }, h('header', { class: 'view-head' }, h('h1', {}, 'Audit')),
      h('p', {}, 'Every input, decision, verdict and refusal is a line in a log in which each line holds the hash of the one before. Whoever changes a byte breaks the chain.'),
      may ? null : h('p', { class: 'muted' }, 'Auditors and admins may read it; your role may not.'),
      h('div', { class: 'stack' },
        h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'The chain')), h('div', { class: 'inner' }, h('div', { class: 'buttons' }, verify), this.result)),
        h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'A record')), h('div', { class: 'inner' }, form, this.wrong, this.record))),
      h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'The newest records')),
        h('div', { class: 'inner scroll-x', tabindex: 0, role: 'region', 'aria-label': 'Records' }, h('table', { class: 'wide' },
          h('thead', {}, h('tr', {}, ...['Number', 'Event time, UTC', 'Kind', 'Bytes', 'Hash'].map((n) => h('th', { scope: 'col' }, n)))), this.newest), this.older)));
    this.older.addEventListener('click', () => void this.list());
    if (!may) return;
    if (/^[0-9]+$/.test(argument)) {
      seq.value = argument;
      void this.show(argument);
    }
    void this.list();
  }

  update(): void { /* nothing here follows the live state */ }

  private async verify(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    setText(this.result, 'Reading the whole log…');
    const answer = await this.app.api.get('/api/audit/verify');
    button.disabled = false;
    if (answer.status !== 200) return setText(this.result, told(answer));
    replace(this.result, h('dl', { class: 'pairs' }, ...Object.entries(answer.body).map(([name, value]) =>
      h('div', {}, h('dt', {}, sentence(name)), h('dd', { class: /hash/.test(name) ? 'mono' : '' }, value === true ? 'yes' : value === false ? 'no' : typeof value === 'object' ? JSON.stringify(value) : String(value))))));
  }

  private async list(): Promise<void> {
    const answer = await this.app.api.get(`/api/audit?before=${this.before}&limit=50`);
    if (answer.status !== 200) return setText(this.wrong, told(answer));
    const records = answer.body['records'] as { seq: number; ts_ms: number; kind: string; hash: string; bytes: number }[];
    this.newest.append(...records.map((r) => h('tr', {}, h('th', { scope: 'row' }, h('a', { href: `#/audit/${r.seq}` }, String(r.seq))),
      h('td', {}, utcDate(r.ts_ms)), h('td', {}, words(r.kind)), h('td', {}, number(r.bytes)), h('td', { class: 'mono' }, r.hash.slice(0, 16)))));
    this.before = records.at(-1)?.seq ?? 0;
    this.older.hidden = this.before <= Number(answer.body['first_seq']);
  }

  private async show(seq: string): Promise<void> {
    const answer = await this.app.api.get(`/api/audit/${encodeURIComponent(seq.trim())}`);
    this.record.hidden = answer.status !== 200;
    setText(this.wrong, answer.status === 200 ? '' : told(answer));
    if (answer.status === 200) setText(this.record, JSON.stringify(answer.body, null, 2));
  }
}
