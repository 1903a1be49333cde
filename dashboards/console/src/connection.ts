// The live connection: a ticket, a socket, messages into the store; when it breaks, again, later
// and later.
import type { Api } from './api';
import type { Message } from './protocol';
import type { Store } from './store';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const SILENCE_MS = 6000;  // after so long a silence the socket is taken for dead

export class Connection {
  private socket: WebSocket | undefined;
  private wait_ms = FIRST_WAIT_MS;
  private timer = 0;
  private heard_at = 0;
  private running = false;

  constructor(private api: Api, private store: Store, private onNews: () => void) {
    setInterval(() => this.watch(), 1000);
    addEventListener('online', () => this.hurry());
    document.addEventListener('visibilitychange', () => this.hurry());
  }

  start(): void {
    this.running = true;
    this.wait_ms = FIRST_WAIT_MS;
    void this.connect();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
    this.drop();
  }

  private async connect(): Promise<void> {
    clearTimeout(this.timer);
    this.drop();
    const ticket = await this.api.ticket();
    if (!this.running || this.socket) return;
    const port = this.api.me?.ws_port;
    if (!ticket || !port) return this.later();
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.hostname}:${port}/live`,
      ['payops.v1', `ticket.${ticket}`]);
    this.socket = socket;
    this.heard_at = performance.now();
    socket.onmessage = (event) => this.hear(socket, String(event.data));
    socket.onclose = () => { if (socket === this.socket) this.later(); };
  }

  private hear(socket: WebSocket, text: string): void {
    if (socket !== this.socket) return;
    this.heard_at = performance.now();
    let taken: string;
    try {
      taken = this.store.take(JSON.parse(text) as Message, this.heard_at);
    } catch {
      taken = 'gap';
    }
    if (taken === 'gap') return void this.connect();
    if (this.store.ready && !this.store.connected) this.store.connected = true;
    this.wait_ms = FIRST_WAIT_MS;
    this.onNews();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = undefined;
    this.store.connected = false;
    socket?.close();
  }

  private later(): void {
    this.drop();
    this.onNews();
    if (!this.running) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.connect(), this.wait_ms * (0.75 + Math.random() / 2));
    this.wait_ms = Math.min(LONGEST_WAIT_MS, this.wait_ms * 2);
  }

  private hurry(): void {
    if (!this.running || this.socket || document.hidden) return;
    this.wait_ms = FIRST_WAIT_MS;
    void this.connect();
  }

  private watch(): void {
    if (this.socket && performance.now() - this.heard_at > SILENCE_MS) this.later();
  }
}
