// What every view is given, and what every view is.
import type { Api } from './api';
import type { Changes, Store } from './store';

export interface App {
  store: Store;
  api: Api;
  // Event time now: the newest the agent has seen. Countdowns and ages run on it.
  now(): number;
  stale(): boolean;
  // A moment of the past is shown; nothing can be done there, and nothing later is to be seen.
  past(): boolean;
  currency(): string;
  say(text: string, kind?: 'done' | 'wrong'): void;
}

export interface View {
  element: HTMLElement;
  title: string;
  // Called with what changed, at most once a frame.
  update(changes: Changes): void;
  // Called every second and when freshness changes: for countdowns and disabled actions.
  tick?(): void;
  // A key that no field took; true if it was used.
  key?(event: KeyboardEvent): boolean;
  dispose?(): void;
}

export const hasAny = (changes: Changes, ...sections: (keyof Changes['keys'])[]): boolean =>
  changes.all || sections.some((section) => changes.keys[section].size > 0);
