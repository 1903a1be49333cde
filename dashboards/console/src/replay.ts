// Replay: a moment of the past in the same views, with a bar to move in time. What is shown is what
// was shown then; nothing of what came later, and nothing can be done.
import type { Api } from './api';
import { h, setAttribute, setText } from './dom';
import { here, utc, utcDate } from './format';
import { type Screen } from './protocol';
import { Store } from './store';

const SETTLE_MS = 120;  // of a slider that is moved, before it counts

export class Replay {
  store: Store | undefined;  // while a moment is shown
  readonly bar: HTMLElement;
  private screen: Screen | undefined;
  private wanted = 0;
  private asked = 0;
  private timer = 0;
  private before = h('button', { type: 'button', 'aria-label': 'The step before' }, '◀');
  private after = h('button', { type: 'button', 'aria-label': 'The step after' }, '▶');
  private slider = h('input', { type: 'range', step: 1000, 'aria-label': 'Moment, UTC' });
  private when = h('output', { class: 'when' });
  private note = h('span', { role: 'status' });

  // `moved`: the address is to name this moment; `shown`: the views are to be drawn anew.
  constructor(private api: Api, private moved: (at_ms: number) => void, private shown: () => void, private leave: () => void) {
    const back = h('button', { type: 'button', class: 'primary' }, 'Back to live');
    back.addEventListener('click', () => this.leave());
    this.before.addEventListener('click', () => this.moved(this.screen?.before_ms || this.wanted));
    this.after.addEventListener('click', () => this.moved(this.screen?.after_ms || this.wanted));
    this.slider.addEventListener('input', () => {
      clearTimeout(this.timer);
      this.tell(Number(this.slider.value));
      this.timer = window.setTimeout(() => this.moved(Number(this.slider.value)), SETTLE_MS);
    });
    this.bar = h('section', { class: 'replay-bar', 'aria-label': 'Replay', hidden: true },
      h('b', {}, 'Replay'), this.before, this.slider, this.after, this.when, this.note, back);
  }

  get active(): boolean { return !this.bar.hidden; }

  // Shows the moment (0: the newest). The newest request wins.
  async open(at_ms: number): Promise<void> {
    this.bar.hidden = false;
    if (this.store && at_ms === this.wanted) return;
    this.wanted = at_ms;
    const asked = ++this.asked;
    setText(this.note, 'reading the log…');
    try {
      const screen = await this.api.screen(at_ms, (s) => {
        setText(this.note, `reading the log: step ${s.steps_done} of ${s.steps}`);
        return asked === this.asked && this.active;
      });
      if (!screen?.state || asked !== this.asked || !this.active) return;
      this.screen = screen;
      this.store = Store.of(screen.state, screen.at_ms ?? 0);
      setText(this.note, '');
      this.place(screen);
      this.shown();
    } catch (error) {
      if (asked === this.asked) setText(this.note, error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    this.bar.hidden = true;
    this.store = this.screen = undefined;
    this.wanted = 0;
    this.asked++;
  }

  private place(screen: Screen): void {
    setAttribute(this.slider, 'min', String(screen.from_ms));
    setAttribute(this.slider, 'max', String(screen.to_ms));
    if (document.activeElement !== this.slider) this.slider.value = String(screen.at_ms ?? 0);
    this.before.disabled = screen.before_ms === 0;
    this.after.disabled = screen.after_ms === 0;
    this.tell(screen.at_ms ?? 0);
  }

  private tell(at_ms: number): void {
    setText(this.when, `${utcDate(at_ms)} UTC${here(at_ms)}`);
    setAttribute(this.slider, 'aria-valuetext', `${utc(at_ms)} UTC`);
  }
}
