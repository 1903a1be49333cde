// Approvals: the queue of what waits for a person, and what one must see before deciding.
import { mayApprove, mayOperate, mayRestart, told } from '../api';
import { type App, hasAny, type View } from '../app';
import { h, keyed, replace, setAttribute, setText } from '../dom';
import { actionName, chance, countdown, duration, gain, money, percent, scopeName, sentence } from '../format';
import { shortcutsOn } from '../parts/help';
import { ask, choose } from '../parts/dialog';
import { does, rollbacks, STATES, undoing } from '../parts/facts';
import { findings, gate, options, valueItems } from '../parts/weighing';
import type { Intervention } from '../protocol';
import type { Changes } from '../store';

// A key counts only when what it decides on has stood in view for so long.
const LOOK_MS = 700;
const ANSWERED_SHOWN_MS = 3_600_000;

export class ApprovalsView implements View {
  title = 'Approvals';
  element: HTMLElement;
  private list = h('ol', { class: 'queue', 'aria-label': 'Proposals' });
  private detail = h('section', { class: 'panel proposal', 'aria-label': 'The selected proposal' });
  private facts = h('div', { class: 'facts-block' });
  private left = h('span', {});
  private approve = h('button', { type: 'button', class: 'primary' }, 'Approve', h('kbd', {}, 'a'));
  private reject = h('button', { type: 'button' }, 'Reject', h('kbd', {}, 'r'));
  private own = h('button', { type: 'button' }, 'Propose an intervention', h('kbd', {}, 'i'));
  private hint = h('p', { class: 'hint', 'aria-live': 'polite' });
  private answered = h('ul', { class: 'answered' });
  private answeredBox = h('section', { class: 'answered-box' }, h('h2', {}, 'Answered in the last hour'), this.answered);
  private calm = h('p', { class: 'muted' });
  private first = h('button', { type: 'button' }, 'Ask me first');
  private calmBox = h('section', { class: 'calm', 'aria-label': 'While nothing waits' }, h('p', {}, 'Nothing waits for a person.'), this.calm, this.first);
  private selected = '';
  private wanted = '';  // to be selected as soon as it is there
  private shown = '';
  private look = 0;        // the timer of a look that has begun
  private looked = false;  // the facts have stood in view for as long as they must
  private watcher: IntersectionObserver;
  private sent = new Set<string>();

  constructor(private app: App) {
    this.approve.addEventListener('click', () => void this.decide('approve'));
    this.reject.addEventListener('click', () => void this.decide('reject'));
    this.own.addEventListener('click', () => void this.propose());
    this.first.addEventListener('click', () => void this.askFirst());
    this.watcher = new IntersectionObserver((entries) => {
      if ((entries.at(-1)?.intersectionRatio ?? 0) > 0.98) this.beginLook();
      else this.forgetLook();
    }, { threshold: [0, 0.5, 0.98, 1] });
    this.element = h('div', { class: 'approvals' },
      h('header', { class: 'view-head' }, h('h1', {}, 'Approvals'), this.own,
        h('p', { class: 'muted keys-line' }, h('kbd', {}, 'j'), h('kbd', {}, 'k'), ' move  ', h('kbd', {}, 'a'), ' approve  ',
          h('kbd', {}, 'r'), ' reject  ', h('kbd', {}, '?'), ' help. No answer in time means no.')),
      h('div', { class: 'two' }, h('div', { class: 'queue-box' }, this.list, this.calmBox, this.answeredBox), this.detail));
  }

  dispose(): void {
    this.watcher.disconnect();
    this.forgetLook();
  }

  private beginLook(): void {
    if (this.looked || this.look) return;
    this.look = window.setTimeout(() => {
      this.looked = true;
      this.detail.toggleAttribute('data-looked', true);
    }, LOOK_MS);
  }

  private forgetLook(): void {
    clearTimeout(this.look);
    this.look = 0;
    this.looked = false;
    this.detail.toggleAttribute('data-looked', false);
  }

  update(changes: Changes): void {
    if (hasAny(changes, 'interventions', 'header')) this.show();
  }

  tick(): void {
    this.own.disabled = this.app.stale() || !mayOperate(this.app.api.me?.role ?? '');
    this.show();
  }

  // A person's own proposal: the agent prices it and the gate judges it, then it stands in the queue
  // like any other and is confirmed like any other.
  private async propose(): Promise<void> {
    if (this.own.disabled) return;
    const names = (dimension: 'issuer' | 'method' | 'gateway'): [string, string][] => {
      const found = new Set(Object.values(this.app.store.state.cells).map((c) => c[dimension]));
      return [['*', `any ${dimension}`], ...[...found].filter((v) => v !== '*').sort().map((v): [string, string] => [v, v])];
    };
    const types = Object.keys(this.app.store.header?.mode ?? {}).filter((t) => t !== 'no_action').sort().map((t): [string, string] => [t, actionName(t)]);
    const wish = await choose('Propose an intervention', [h('p', {}, 'The agent works out what it would be worth and the gate judges it. Nothing is done until it is approved.')], [
      { name: 'type', label: 'What', options: types },
      { name: 'issuer', label: 'Issuer', options: names('issuer') }, { name: 'method', label: 'Method', options: names('method') },
      { name: 'gateway', label: 'Gateway', options: names('gateway') },
      { name: 'to', label: 'To gateway, when traffic is moved', options: [['', 'the best'], ...names('gateway').slice(1)] }], 'Propose');
    if (wish === null) return;
    if (this.app.stale()) return this.app.say('Not sent: the data is stale.', 'wrong');
    const answer = await this.app.api.command('/api/interventions', {
      type: wish['type'], scope: { issuer: wish['issuer'], method: wish['method'], gateway: wish['gateway'] }, to_gateway: wish['to'],
    });
    const id = /act-[0-9a-f]+/.exec(String(answer.body['why'] ?? ''))?.[0];
    this.app.say(told(answer), answer.status === 200 ? 'done' : 'wrong');
    this.wanted = id ?? '';
    this.show();
  }

  private waiting(): Intervention[] {
    return Object.values(this.app.store.state.interventions)
      .filter((i) => i.state === 'proposed')
      .sort((a, b) => a.answer_by_ms - b.answer_by_ms || a.id.localeCompare(b.id));
  }

  private show(): void {
    const waiting = this.waiting();
    if (waiting.some((i) => i.id === this.wanted)) {
      this.select(this.wanted, false);
      this.wanted = '';
    }
    if (!waiting.some((i) => i.id === this.selected)) this.select(waiting[0]?.id ?? '', false);
    const now = this.app.now();
    keyed(this.list, waiting, (i) => i.id, (i) => this.makeEntry(i), (element, i) => {
      const button = element.firstElementChild as HTMLElement;
      setAttribute(button, 'aria-pressed', String(i.id === this.selected));
      const left = i.answer_by_ms - now;
      const count = button.querySelector('.count') as HTMLElement;
      setText(count, this.sent.has(i.id) ? 'sent' : countdown(left));
      count.classList.toggle('soon', left < 60_000);
    });
    this.showCalm(waiting.length === 0);
    this.showAnswered(now);
    this.showDetail(waiting.find((i) => i.id === this.selected));
  }

  // The ways to act on traffic that the agent takes by itself.
  private alone(): string[] {
    return Object.entries(this.app.store.header?.mode ?? {})
      .filter(([type, mode]) => mode === 'auto' && !['alert_ops', 'no_action'].includes(type)).map(([type]) => type).sort();
  }

  // Why the queue is empty, and how it comes to be filled.
  private showCalm(calm: boolean): void {
    this.calmBox.hidden = !calm;
    const alone = this.alone();
    const admin = mayRestart(this.app.api.me?.role ?? '');
    setText(this.calm, alone.length ? `The agent goes ahead by itself: ${alone.map((type) => actionName(type).toLowerCase()).join(', ')}. `
      + `${admin ? 'It can be made to ask first' : 'An admin can make it ask first'}; or propose an intervention yourself.`
      : 'What the agent wants to do stands here until it is answered; or propose an intervention yourself.');
    this.first.hidden = !admin || alone.length === 0;
    this.first.disabled = this.app.stale();
  }

  private async askFirst(): Promise<void> {
    const types = this.alone();
    const wish = await choose('Is the agent to ask first?', [h('p', {}, `From now on it proposes, and a person approves: ${types.map((type) => actionName(type).toLowerCase()).join(', ')}. `
      + 'No answer in time means no. The agent’s state, at the top, turns it back.')], [], 'Ask me first');
    if (wish === null) return;
    if (this.app.stale()) return this.app.say('Not sent: the data is stale.', 'wrong');
    const answers = await Promise.all(types.map((type) => this.app.api.command('/api/mode', { type, mode: 'approve' })));
    const wrong = answers.find((answer) => answer.status !== 200);
    this.app.say(wrong ? told(wrong) : 'From now on it asks first.', wrong ? 'wrong' : 'done');
  }

  private makeEntry(i: Intervention): HTMLElement {
    const button = h('button', { type: 'button', class: 'entry' },
      h('span', { class: 'entry-top' }, h('b', {}, actionName(i.type)), h('span', { class: 'count' })),
      h('span', {}, scopeName(i.scope)),
      h('span', { class: 'muted' }, `${gain(i.nrv.mean, this.app.currency())} expected, ${i.risk} risk`));
    button.addEventListener('click', () => { this.select(i.id, false); this.show(); });
    return h('li', {}, button);
  }

  private showAnswered(now: number): void {
    const done = Object.values(this.app.store.state.interventions)
      .filter((i) => i.state !== 'proposed' && i.answer_by_ms > 0 && now - i.decided_ms < ANSWERED_SHOWN_MS)
      .sort((a, b) => b.decided_ms - a.decided_ms).slice(0, 8);
    this.answeredBox.hidden = done.length === 0;
    keyed(this.answered, done, (i) => i.id, () => h('li', {}), (element, i) =>
      replace(element, h('b', {}, `${actionName(i.type)}, ${scopeName(i.scope)}`), h('span', { class: 'muted' }, `${STATES[i.state] ?? i.state}: ${i.why}`)));
  }

  private select(id: string, focus: boolean): void {
    if (id !== this.selected) this.forgetLook();
    this.selected = id;
    if (!focus) return;
    this.show();
    const entry = this.list.querySelector<HTMLElement>(`[data-key="${CSS.escape(id)}"] button`);
    entry?.focus();
    entry?.scrollIntoView({ block: 'nearest' });
  }

  private showDetail(i: Intervention | undefined): void {
    if (!i) {
      this.shown = '';
      this.detail.hidden = true;
      return;
    }
    this.detail.hidden = false;
    setText(this.left, `${countdown(i.answer_by_ms - this.app.now())} left to answer`);
    this.guard(i);
    const key = `${i.id} ${i.shown_hash}`;
    if (key === this.shown) return;
    const changed = this.shown.startsWith(`${i.id} `);
    this.shown = key;
    this.build(i);
    this.watcher.disconnect();
    this.forgetLook();
    this.watcher.observe(this.facts);
    setText(this.hint, changed ? 'The proposal changed while you looked. Read it again.' : '');
  }

  // Why it cannot be decided now; empty when it can.
  private barred(i: Intervention): string {
    if (this.app.stale()) return 'The data is stale: nothing can be decided.';
    if (!mayApprove(this.app.api.me?.role ?? '')) return 'Only an approver may decide this.';
    if (this.sent.has(i.id)) return 'Sent; waiting for the agent.';
    if (i.answer_by_ms <= this.app.now()) return 'The time to answer is over.';
    return '';
  }

  private guard(i: Intervention): void {
    const barred = this.barred(i);
    for (const button of [this.approve, this.reject]) button.disabled = barred !== '';
    if (barred) setText(this.hint, barred);
    else if (/stale|approver|Sent|over/.test(this.hint.textContent)) setText(this.hint, '');
  }

  private build(i: Intervention): void {
    const c = this.app.currency();
    const conditions = rollbacks(i.findings);
    replace(this.facts,
      h('dl', { class: 'must-see' },
        fact('Blast radius', percent(i.blast_radius), 'of live value'),
        fact('Net value', gain(i.nrv.mean, c), `${money(i.nrv.low, c)} to ${money(i.nrv.high, c)}`),
        fact('Sure of the cause', chance(i.confidence), `${i.risk} risk`),
        fact('Runs for', duration(i.expires_ms - Math.max(i.decided_ms, i.issued_ms)), `${chance(i.holdout)} held out to compare`)),
      h('p', {}, h('b', {}, 'Taken back: '), undoing(i)),
      h('p', {}, h('b', {}, 'Rolled back when: '), conditions.length ? conditions.join('; ') : 'treated convert worse than the holdout', '.'));
    const incident = this.app.store.state.incidents[i.incident_id];
    replace(this.detail,
      h('header', { class: 'proposal-head' },
        h('h2', {}, does(i)), h('p', {}, i.reason),
        incident ? h('p', {}, h('a', { href: `#/incident/${encodeURIComponent(incident.id)}` }, `Incident: ${scopeName(incident.scope)}, ${sentence(incident.pattern).toLowerCase()}`)) : null),
      this.facts,
      h('div', { class: 'decide' }, this.approve, this.reject, this.left, this.hint),
      part('Options', options(i, c)),
      h('div', { class: 'parts' }, part('What the value is made of', valueItems(i, c)), part('Gate', gate(i))),
      part('Pre-mortem: it went wrong. Why?', findings(i, c)),
      h('p', { class: 'muted hash' }, 'What you see has the hash ', h('code', {}, i.shown_hash)));
  }

  key(event: KeyboardEvent): boolean {
    if (!shortcutsOn()) return false;
    const waiting = this.waiting();
    const at = waiting.findIndex((i) => i.id === this.selected);
    switch (event.key) {
      case 'j': case 'k': {
        const next = waiting[Math.min(waiting.length - 1, Math.max(0, at + (event.key === 'j' ? 1 : -1)))];
        if (next) this.select(next.id, true);
        return true;
      }
      case 'a': case 'r': {
        const now = waiting[at];
        if (now && this.seen(now)) void this.decide(event.key === 'a' ? 'approve' : 'reject');
        return true;
      }
      case 'i': void this.propose(); return true;
      default: return false;
    }
  }

  // Has what must be seen stood in view? If not, it is brought there, and the key did nothing.
  private seen(i: Intervention): boolean {
    const barred = this.barred(i);
    if (barred) {
      setText(this.hint, barred);
      return false;
    }
    if (this.looked) return true;
    this.facts.scrollIntoView({ block: 'center' });
    setText(this.hint, 'Read the blast radius and the rollback first, then press the key again.');
    return false;
  }

  private async decide(verdict: 'approve' | 'reject'): Promise<void> {
    const i = this.waiting().find((w) => w.id === this.selected);
    if (!i || this.barred(i)) return;
    const hash = this.shown.split(' ')[1] ?? '';
    let body: Record<string, string> = { shown_hash: hash };
    if (verdict === 'reject') {
      const reason = await ask({
        title: 'Reject this proposal?', body: [h('p', {}, does(i))], confirm: 'Reject', reason: 'Reason, for the audit log',
      });
      if (reason === null) return;
      body = { shown_hash: hash, reason };
      if (this.app.stale()) return this.app.say('Not sent: the data is stale.', 'wrong');
    }
    this.sent.add(i.id);
    this.guard(i);
    const answer = await this.app.api.command(`/api/proposals/${encodeURIComponent(i.id)}/${verdict}`, body);
    const good = answer.status === 200 || answer.status === 202;
    if (!good) this.sent.delete(i.id);
    this.app.say(`${does(i)}. ${told(answer)}`, good ? 'done' : 'wrong');
    this.show();
  }
}

function fact(name: string, value: string, note: string): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, h('b', {}, value), h('span', { class: 'muted' }, note)));
}

export function part(title: string, ...content: (Node | null)[]): HTMLElement {
  return h('section', { class: 'part' }, h('h3', {}, title), ...content);
}
