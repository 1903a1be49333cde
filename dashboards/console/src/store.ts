// The page's copy of the server's state: what arrived last, what changed since it was last drawn,
// and how old it is. No clock of its own: times are handed in, in ms of a clock that never jumps.
import { type Header, type Message, SECTIONS, type Section, type State } from './protocol';

// What became of a message. `gap`: deltas are missing; connect again for a new snapshot.
export type Taken = 'ok' | 'gap' | 'ignored';

// Which keys of each section changed; `all`: everything, as after a snapshot.
export interface Changes { all: boolean; keys: { [S in Section]: Set<string> } }

export interface Freshness {
  stale: boolean;
  silent_ms: number;  // since the server last said anything
  data_ms: number;    // how old the newest input is that the agent has seen
  why: string;        // empty unless stale
}

const noState = (): State =>
  ({ header: {}, cells: {}, incidents: {}, interventions: {}, graph: {}, effects: {} });
const noChanges = (): Changes => ({
  all: false,
  keys: {
    header: new Set(), cells: new Set(), incidents: new Set(), interventions: new Set(),
    graph: new Set(), effects: new Set(),
  },
});

export class Store {
  state: State = noState();
  epoch = '';
  seq = -1;
  ready = false;  // a snapshot is here
  connected = false;
  server_ms = 0;
  watermark_ms = 0;
  private stale_after_ms = 5000;
  private heard_at = 0;
  private advanced_at = 0;
  private changes = noChanges();

  get header(): Header | undefined { return this.state.header['now']; }

  // A state of the past: whole, and as old as it is.
  static of(state: State, at_ms: number): Store {
    const store = new Store();
    store.state = { ...noState(), ...state };
    store.ready = true;
    store.watermark_ms = store.server_ms = at_ms;
    store.changes.all = true;
    return store;
  }

  take(message: Message, at_ms: number): Taken {
    switch (message.type) {
      case 'hello':
        if (message.protocol !== 1) return 'ignored';
        this.stale_after_ms = message.stale_after_ms;
        return 'ok';
      case 'snapshot': return this.takeSnapshot(message, at_ms);
      case 'delta': return this.takeDelta(message, at_ms);
      case 'heartbeat':
        if (this.ready && message.seq !== this.seq) return 'gap';
        this.heard(message.server_ms, message.watermark_ms, at_ms);
        return 'ok';
      default: return 'ignored';
    }
  }

  // The changes since this was last called; they belong to the caller.
  takeChanges(): Changes {
    const changes = this.changes;
    this.changes = noChanges();
    return changes;
  }

  freshness(at_ms: number): Freshness {
    const silent_ms = at_ms - this.heard_at;
    const unmoved_ms = at_ms - this.advanced_at;
    // A simulated world runs on its own time: there only movement tells.
    const behind_ms = this.header?.demo ? 0 : this.server_ms - this.watermark_ms;
    const data_ms = Math.max(unmoved_ms, behind_ms);
    let why = '';
    if (!this.ready) why = 'nothing has arrived yet';
    else if (silent_ms > this.stale_after_ms) why = 'the server is silent';
    else if (data_ms > this.stale_after_ms) why = 'no new payments reach the agent';
    return { stale: why !== '', silent_ms, data_ms, why };
  }

  private takeSnapshot(m: Extract<Message, { type: 'snapshot' }>, at_ms: number): Taken {
    if (m.epoch !== this.epoch) {  // another process: its time is its own
      this.watermark_ms = 0;
      this.advanced_at = at_ms;
    }
    this.state = { ...noState(), ...m.state };
    this.epoch = m.epoch;
    this.seq = m.seq;
    this.ready = true;
    this.changes.all = true;
    this.heard(m.server_ms, this.header?.watermark_ms ?? 0, at_ms);
    return 'ok';
  }

  private takeDelta(m: Extract<Message, { type: 'delta' }>, at_ms: number): Taken {
    if (!this.ready || m.seq !== this.seq + 1) return 'gap';
    this.seq = m.seq;
    for (const section of SECTIONS) {
      const values = this.state[section] as Record<string, unknown>;
      for (const [key, value] of Object.entries(m.set?.[section] ?? {})) {
        values[key] = value;
        this.changes.keys[section].add(key);
      }
      for (const key of m.remove?.[section] ?? []) {
        delete values[key];
        this.changes.keys[section].add(key);
      }
    }
    this.heard(m.server_ms, this.header?.watermark_ms ?? this.watermark_ms, at_ms);
    return 'ok';
  }

  private heard(server_ms: number, watermark_ms: number, at_ms: number): void {
    this.heard_at = at_ms;
    this.server_ms = server_ms;
    if (watermark_ms <= this.watermark_ms) return;
    this.watermark_ms = watermark_ms;
    this.advanced_at = at_ms;
  }
}
