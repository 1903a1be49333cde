// What stands around every view: where one is, whether what one sees is fresh, what the agent is
// doing, and the way to stop it.
import { mayOperate, mayRestart, told } from './api';
import type { App } from './app';
import { h, setAttribute, setText } from './dom';
import { actionName, duration, local, number, rate, utc, utcDate, words, zoneName } from './format';
import { ask, choose } from './parts/dialog';

const LINKS: [string, string][] = [
  ['now', 'Now'], ['approvals', 'Approvals'], ['series', 'Series'], ['history', 'History'], ['replay', 'Replay'],
  ['learned', 'Learned'], ['graph', 'Graph'], ['simulator', 'Simulator'], ['audit', 'Audit'],
];
const AGENT: Record<string, string> = {
  acting: 'Acting', observe_only: 'Observing only', killed: 'Stopped', standby: 'Standby',
};

export class Shell {
  readonly main = h('main', { id: 'main', tabindex: -1 });
  readonly element: HTMLElement;
  private nav = new Map<string, HTMLAnchorElement>();
  private badge = h('span', { class: 'badge' });
  private clock = h('span', { class: 'clock' });
  private fresh = h('span', { class: 'fresh' });
  private freshText = h('span', {});
  private agent = h('button', { class: 'agent-state', type: 'button' });
  private facts = h('span', { class: 'facts' });
  private kill = h('button', { class: 'kill', type: 'button' });
  private banner = h('div', { class: 'banner', role: 'status' });
  private toasts = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });
  private theme = h('button', { type: 'button', class: 'quiet' });

  constructor(private app: App, private help: () => void, replayBar: HTMLElement) {
    const links = LINKS.map(([name, label]) => {
      const link = h('a', { href: `#/${name}` }, label, name === 'approvals' ? this.badge : null);
      this.nav.set(name, link);
      return link;
    });
    this.kill.addEventListener('click', () => void this.askKill());
    this.agent.addEventListener('click', () => void this.askMode());
    this.theme.addEventListener('click', () => this.nextTheme());
    this.showTheme(localStorage.getItem('theme') ?? '');
    const leave = h('button', { type: 'button', class: 'quiet' }, 'Sign out');
    leave.addEventListener('click', () => app.api.signOut());
    const keys = h('button', { type: 'button', class: 'quiet', 'aria-label': 'Keys and help' }, '?');
    keys.addEventListener('click', () => this.help());
    this.fresh.append(h('span', { class: 'pulse', 'aria-hidden': 'true' }), this.freshText);
    this.element = h('div', { class: 'shell' },
      h('a', { class: 'skip', href: '#main' }, 'Skip to the view'),
      h('header', { class: 'bar' },
        h('a', { class: 'brand', href: '#/now' }, 'payops'),
        h('nav', { 'aria-label': 'Views' }, ...links),
        h('div', { class: 'bar-end' }, this.clock, this.theme, keys, leave)),
      h('section', { class: 'status', 'aria-label': 'The agent' }, this.agent, this.facts, this.fresh, this.kill),
      replayBar, this.banner, this.main, this.toasts);
    this.element.querySelector('.skip')?.addEventListener('click', (event) => {
      event.preventDefault();
      this.main.focus();
    });
  }

  // Whether there is a simulated world to look at.
  offer(simulator: boolean): void {
    const link = this.nav.get('simulator');
    if (link) link.hidden = !simulator;
  }

  at(name: string): void {
    for (const [key, link] of this.nav) setAttribute(link, 'aria-current', key === name ? 'page' : null);
  }

  say(text: string, kind: 'done' | 'wrong' = 'done'): void {
    const toast = h('div', { class: `toast ${kind}` }, text);
    this.toasts.append(toast);
    while (this.toasts.children.length > 3) this.toasts.firstElementChild?.remove();
    setTimeout(() => toast.remove(), kind === 'wrong' ? 12_000 : 6000);
  }

  // Once a second, and when something changed.
  tick(): void {
    const { store } = this.app;
    const fresh = store.freshness(performance.now());
    const header = store.header;
    const past = this.app.past();
    if (past) fresh.stale = false;
    document.documentElement.toggleAttribute('data-stale', fresh.stale);
    document.documentElement.toggleAttribute('data-past', past);
    this.showClock();
    setText(this.freshText, past ? `as it was at ${utc(store.watermark_ms)} UTC` : !store.ready ? 'connecting' : fresh.stale ? `stale, ${duration(Math.max(fresh.silent_ms, fresh.data_ms))}`
      : `live, ${(Math.max(0, fresh.data_ms) / 1000).toFixed(0)} s old`);
    this.banner.hidden = !fresh.stale || !store.ready;
    if (fresh.stale && store.ready) {
      setText(this.banner, `Stale: ${fresh.why} for ${duration(Math.max(fresh.silent_ms, fresh.data_ms))}. `
        + `What you see is as of ${utc(store.watermark_ms)} UTC; actions are off. `
        + (store.connected ? '' : 'Connecting again by itself.'));
    }
    const waiting = Object.values(store.state.interventions).filter((i) => i.state === 'proposed').length;
    setText(this.badge, waiting ? String(waiting) : '');
    this.badge.hidden = waiting === 0;
    setAttribute(this.badge, 'aria-label', `${waiting} waiting`);
    document.title = `${waiting ? `(${waiting}) ` : ''}${fresh.stale && store.ready ? 'stale · ' : ''}payops`;
    if (!header) return;
    setText(this.agent, AGENT[header.agent_state] ?? words(header.agent_state));
    setAttribute(this.agent, 'class', `agent-state ${header.agent_state}`);
    const modes = Object.entries(header.mode).map(([type, mode]) => `${words(type)}: ${mode}`).join('\n');
    setAttribute(this.agent, 'title', `${modes}\nchange`);
    setAttribute(this.agent, 'aria-label', `${AGENT[header.agent_state] ?? words(header.agent_state)}; how far it goes alone`);
    setText(this.facts, [
      header.why, `cycle ${number(header.step)}`, rate(header.attempts_per_s),
      `lag ${header.input_lag === null ? 'unknown' : number(header.input_lag)}`,
      `dead letters ${number(header.dead_letters)}`, header.demo ? 'simulated' : '',
    ].filter((text) => text).join('  ·  '));
    const on = header.killed;
    setText(this.kill, on ? 'Let it act again' : 'Stop the agent');
    this.kill.classList.toggle('on', on);
    const role = this.app.api.me?.role ?? '';
    this.kill.disabled = past || fresh.stale || !(on ? mayRestart(role) : mayOperate(role));
  }

  private showClock(): void {
    const at = this.app.store.watermark_ms || Date.now();
    const zone = zoneName(at);
    setText(this.clock, `${utc(at)} UTC${zone === 'UTC' ? '' : `  ${local(at)} ${zone}`}`);
    setAttribute(this.clock, 'title', `${utcDate(at)} UTC, the newest payment seen`);
  }

  // The key for it: as the button, and as little when that is off.
  stop(): void {
    if (this.kill.disabled) return this.say('Not possible now: the data is stale, or your role may not.', 'wrong');
    void this.askKill();
  }

  private async askKill(): Promise<void> {
    const on = !this.app.store.header?.killed;
    const reason = await ask({
      title: on ? 'Stop the agent?' : 'Let the agent act again?',
      body: [h('p', {}, on ? 'Nothing more is published, not even what is already decided; what runs is rolled back. The agent goes on watching. Only an admin lets it act again.'
        : 'It acts again within the limits of its mode from the next cycle on.')],
      confirm: on ? 'Stop the agent' : 'Let it act', danger: on, reason: 'Reason, for the audit log',
    });
    if (reason === null) return;
    if (this.app.stale()) return this.say('Not sent: the data is stale.', 'wrong');
    const answer = await this.app.api.command('/api/kill', { on, reason });
    this.say(told(answer), answer.status < 300 && answer.status > 0 ? 'done' : 'wrong');
  }

  // How far each way to act may go on its own, for all to see; an admin may change it.
  private async askMode(): Promise<void> {
    const header = this.app.store.header;
    if (!header) return;
    const types = Object.keys(header.mode).filter((t) => t !== 'no_action').sort();
    const list = h('dl', { class: 'key-list' }, ...types.map((t) => h('div', {}, h('dt', {}, actionName(t)), h('dd', {}, header.mode[t] ?? ''))));
    if (!mayRestart(this.app.api.me?.role ?? '') || this.app.stale()) {
      await choose('How far the agent goes alone', [list, h('p', { class: 'muted' }, 'Admins may change it, while the data is fresh.')], [], 'Close');
      return;
    }
    const chosen = await choose('How far the agent goes alone', [list], [
      { name: 'type', label: 'Way to act', options: types.map((t): [string, string] => [t, actionName(t)]) },
      { name: 'mode', label: 'From now on', options: [['observe', 'observe: never'], ['shadow', 'shadow: only as if'], ['approve', 'approve: a person agrees'], ['auto', 'auto: by itself']] }], 'Set');
    if (chosen === null) return;
    const answer = await this.app.api.command('/api/mode', chosen);
    this.say(told(answer), answer.status === 200 ? 'done' : 'wrong');
  }

  private nextTheme(): void {
    const next: Record<string, string> = { '': 'dark', dark: 'light', light: '' };
    const theme = next[localStorage.getItem('theme') ?? ''] ?? '';
    localStorage.setItem('theme', theme);
    this.showTheme(theme);
    dispatchEvent(new Event('theme'));
  }

  private showTheme(theme: string): void {
    setAttribute(document.documentElement, 'data-theme', theme || null);
    const name = { dark: 'Dark', light: 'Light' }[theme] ?? 'Auto';
    setText(this.theme, name);
    setAttribute(this.theme, 'aria-label', `${name} colours; change`);
  }
}
