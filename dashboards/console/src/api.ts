// Calls to the server: sign-in, tickets, commands, reads. A command carries a key of its own, so
// that a repeated request does nothing twice.
import type { Incident, Intervention, Me, Screen, Series } from './protocol';

export interface Answer { status: number; body: Record<string, unknown> }

const RANK: Record<string, number> = { viewer: 0, auditor: 0, operator: 1, approver: 2, admin: 3 };
export const mayOperate = (role: string): boolean => (RANK[role] ?? 0) >= 1;
export const mayApprove = (role: string): boolean => (RANK[role] ?? 0) >= 2;
export const mayRestart = (role: string): boolean => (RANK[role] ?? 0) >= 3;
export const mayAudit = (role: string): boolean => role === 'auditor' || role === 'admin';

// What an answer means, in a sentence.
export function told(answer: Answer): string {
  const { status, body } = answer;
  const detail = String(body['why'] || body['detail'] || body['error_description'] || body['error'] || '');
  const more = detail ? `: ${detail}` : '';
  switch (status) {
    case 0: return 'The server could not be reached; nothing is known to have happened.';
    case 200: return `Done${body['result'] ? `: ${String(body['result'])}` : ''}${detail ? ` (${detail})` : ''}.`;
    case 202: return 'Accepted; the agent has not answered yet.';
    case 401: return 'The session has ended. Sign in again.';
    case 403: return `Your role may not do this${more}.`;
    case 404: return `It is no longer there${more}.`;
    case 409: return `It changed since it was shown${more}. Look again.`;
    case 422: return `Refused${more}.`;
    case 429: return 'Too many requests; wait a moment.';
    case 503: return `Not carried out${more}.`;
    default: return `Refused (${status})${more}.`;
  }
}

// The newest that were found, and whether there are older ones.
export interface Listed<T> { items: T[]; more: boolean }

const RENEW_AGAIN_MS = 10_000;

export class Api {
  token = '';
  ends_at = 0;  // ms, when the token stops working
  me: Me | undefined;
  onSignedOut: () => void = () => undefined;
  onExpired: () => void = () => undefined;
  private renew_at = 0;  // ms

  // The token lives as long as the tab: a reload keeps it, closing the tab forgets it.
  restore(): boolean {
    this.token = sessionStorage.getItem('token') ?? '';
    this.ends_at = Number(sessionStorage.getItem('ends_at'));
    return this.token !== '' && this.ends_at > Date.now();
  }

  async signIn(username: string, password: string): Promise<Answer> {
    const body = new URLSearchParams({ grant_type: 'password', username, password });
    const answer = await this.send('/oauth2/token', { method: 'POST', body });
    if (answer.status === 200) this.take(answer);
    return answer;
  }

  // Called every second: a token that has lived half its time is exchanged for a new one.
  async renew(): Promise<void> {
    const now = Date.now();
    if (!this.token || now < this.renew_at) return;
    this.renew_at = now + RENEW_AGAIN_MS;
    const answer = await this.send('/api/token', { method: 'POST', headers: this.headers() });
    if (answer.status === 200) this.take(answer);
    if (answer.status === 401) this.expired();
  }

  private take(answer: Answer): void {
    const lives_ms = Number(answer.body['expires_in']) * 1000;
    this.token = String(answer.body['access_token']);
    this.ends_at = Date.now() + lives_ms;
    this.renew_at = Date.now() + lives_ms / 2;
    sessionStorage.setItem('token', this.token);
    sessionStorage.setItem('ends_at', String(this.ends_at));
  }

  signOut(): void {
    this.token = '';
    this.me = undefined;
    sessionStorage.clear();
    this.onSignedOut();
  }

  async whoAmI(): Promise<Me | undefined> {
    const answer = await this.get('/api/me');
    if (answer.status === 200) this.me = answer.body as unknown as Me;
    return this.me;
  }

  async ticket(): Promise<string> {
    const answer = await this.send('/api/ticket', { method: 'POST', headers: this.headers() });
    if (answer.status === 401) this.expired();
    return answer.status === 200 ? String(answer.body['ticket']) : '';
  }

  async get(path: string): Promise<Answer> {
    const answer = await this.send(path, { headers: this.headers() });
    if (answer.status === 401) this.expired();
    return answer;
  }

  async command(path: string, body: object): Promise<Answer> {
    const headers = {
      ...this.headers(), 'content-type': 'application/json', 'idempotency-key': newKey(),
    };
    const answer = await this.send(path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (answer.status === 401) this.expired();
    return answer;
  }

  async series(scope: string, from: number, to: number): Promise<Series> {
    const query = new URLSearchParams({ scope, from: String(from), to: String(to) });
    const answer = await this.get(`/api/series?${query}`);
    if (answer.status !== 200) throw new Error(told(answer));
    return answer.body as unknown as Series;
  }

  // The same as a file, made by the server.
  async seriesCsv(scope: string, from: number, to: number): Promise<Blob> {
    const query = new URLSearchParams({ scope, from: String(from), to: String(to), format: 'csv' });
    const response = await fetch(`/api/series?${query}`, { headers: this.headers() });
    if (!response.ok) throw new Error(told({ status: response.status, body: {} }));
    return response.blob();
  }

  incidents(q: string, from: number, to: number): Promise<Listed<Incident>> {
    return this.listed<Incident>('incidents', q, from, to);
  }

  interventions(q: string, from: number, to: number): Promise<Listed<Intervention>> {
    return this.listed<Intervention>('interventions', q, from, to);
  }

  // What was shown at that moment (0: last), asking until the log has been read up to there.
  async screen(at: number, progress: (screen: Screen) => boolean): Promise<Screen | undefined> {
    for (;;) {
      const answer = await this.get(`/api/replay?at=${at}`);
      if (answer.status !== 200) throw new Error(told(answer));
      const screen = answer.body as unknown as Screen;
      if (screen.done) return screen;
      if (!progress(screen)) return undefined;
    }
  }

  private async listed<T>(name: string, q: string, from: number, to: number): Promise<Listed<T>> {
    const query = new URLSearchParams({ q });
    if (from > 0) query.set('from', String(Math.round(from)));
    if (to > 0) query.set('to', String(Math.round(to)));
    const answer = await this.get(`/api/${name}?${query}`);
    if (answer.status !== 200) throw new Error(told(answer));
    return { items: (answer.body[name] ?? []) as T[], more: answer.body['more'] === true };
  }

  private headers(): Record<string, string> { return { authorization: `Bearer ${this.token}` }; }

  private expired(): void {
    if (!this.token) return;
    this.token = '';
    sessionStorage.removeItem('token');
    this.onExpired();
  }

  private async send(path: string, options: RequestInit): Promise<Answer> {
    try {
      const response = await fetch(path, { ...options, signal: AbortSignal.timeout(15_000) });
      const body = await response.json().catch(() => ({})) as Record<string, unknown>;
      return { status: response.status, body };
    } catch {
      return { status: 0, body: {} };
    }
  }
}

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)),
    (byte) => byte.toString(16).padStart(2, '0')).join('');
}
