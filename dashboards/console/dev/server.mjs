// A development server that speaks the console's protocol (docs/console-protocol.md) over a made-up
// world, so that the page can be worked on and tested without an agent. Not for anything else: the
// passwords are printed, the tokens are not signed.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { World, seriesOf } from './world.mjs';

const DIST = fileURLToPath(new URL('../../../build/console', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
};
const RANK = { viewer: 0, auditor: 0, operator: 1, approver: 2, admin: 3 };
export const USERS = { viewer: 'viewer', operator: 'operator', approver: 'approver', admin: 'admin', auditor: 'auditor' };

export class DevServer {
  constructor({ world = new World(), port = 0, wsPort = 0, tickMs = 1000, tokenS = 900, dist = DIST } = {}) {
    Object.assign(this, { world, port, wsPort, tickMs, tokenS, dist });
    this.renewed = 0;
    this.tokens = new Map();
    this.tickets = new Map();
    this.answers = new Map();
    this.calls = [];
    this.slowMs = 0;
  }

  async start() {
    this.epoch = randomBytes(8).toString('hex');
    this.seq = 1;
    this.http = createServer((req, res) => this.handle(req, res).catch((e) => {
      send(res, 500, { error: 'internal', detail: String(e) });
    }));
    await listen(this.http, this.port);
    this.port = this.http.address().port;
    this.wsHttp = createServer((_, res) => send(res, 426, { error: 'upgrade required' }));
    this.wss = new WebSocketServer({
      server: this.wsHttp, path: '/live', maxPayload: 65536,
      handleProtocols: () => 'payops.v1', verifyClient: (info) => this.mayJoin(info),
    });
    this.wss.on('connection', (ws) => this.join(ws));
    await listen(this.wsHttp, this.wsPort);
    this.wsPort = this.wsHttp.address().port;
    this.beat = setInterval(() => this.heartbeat(), 1000);
    if (this.tickMs > 0) this.ticker = setInterval(() => this.push(this.world.cycle(this.tickMs)), this.tickMs);
    return this;
  }

  get url() { return `http://127.0.0.1:${this.port}`; }

  // As a process that is killed: every socket is cut.
  async stop() {
    clearInterval(this.beat);
    clearInterval(this.ticker);
    for (const ws of this.wss.clients) ws.terminate();
    this.wss.close();
    this.http.closeAllConnections?.();
    this.wsHttp.closeAllConnections?.();
    await Promise.all([close(this.http), close(this.wsHttp)]);
  }

  mayJoin({ origin, req }) {
    const protocols = (req.headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim());
    const ticket = protocols.find((p) => p.startsWith('ticket.'))?.slice(7);
    const until = this.tickets.get(ticket);
    this.tickets.delete(ticket);
    return origin === this.url && protocols.includes('payops.v1') && until > Date.now();
  }

  join(ws) {
    ws.on('message', () => ws.close(1008, 'this socket only speaks'));
    ws.send(JSON.stringify({
      type: 'hello', protocol: 1, epoch: this.epoch, heartbeat_ms: 1000, stale_after_ms: 5000,
    }));
    ws.send(JSON.stringify(this.snapshot()));
  }

  snapshot() {
    return { type: 'snapshot', epoch: this.epoch, seq: this.seq, server_ms: Date.now(), state: this.world.state };
  }

  push(set, remove = {}) {
    this.seq += 1;
    const text = JSON.stringify({ type: 'delta', seq: this.seq, server_ms: Date.now(), set, remove });
    if (this.silent) return;
    for (const ws of this.wss.clients) ws.send(text);
  }

  heartbeat() {
    if (this.silent) return;
    const text = JSON.stringify({
      type: 'heartbeat', seq: this.seq, server_ms: Date.now(), watermark_ms: this.world.nowMs,
    });
    for (const ws of this.wss.clients) ws.send(text);
  }

  async handle(req, res) {
    const url = new URL(req.url, this.url);
    const body = await read(req);
    if (url.pathname === '/oauth2/token') return this.token(res, new URLSearchParams(body));
    if (!url.pathname.startsWith('/api/')) return this.page(res, url.pathname);
    const me = this.tokens.get((req.headers.authorization ?? '').replace('Bearer ', ''));
    if (!me) return send(res, 401, { error: 'unauthorized', detail: 'no token, or an old one' });
    if (req.method === 'GET') return this.get(res, url, me);
    return this.post(req, res, url, me, body ? JSON.parse(body) : {});
  }

  token(res, form) {
    const user = form.get('username');
    if (form.get('grant_type') !== 'password') return send(res, 400, { error: 'unsupported_grant_type' });
    if (!USERS[user] || USERS[user] !== form.get('password')) {
      return send(res, 400, { error: 'invalid_grant', error_description: 'wrong user or password' });
    }
    return this.issue(res, { user, role: user });
  }

  issue(res, me) {
    const access_token = randomBytes(24).toString('base64url');
    this.tokens.set(access_token, me);
    return send(res, 200, { access_token, token_type: 'Bearer', expires_in: this.tokenS, role: me.role, scope: '' });
  }

  page(res, path) {
    const name = path === '/' ? 'index.html' : path.slice(1);
    if (!readdirSync(this.dist).includes(name)) return send(res, 404, { error: 'not_found' });
    const connect = `'self' ws://127.0.0.1:${this.wsPort}`;
    res.writeHead(200, {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'content-security-policy':
        `default-src 'self'; connect-src ${connect}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'`,
      'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer',
    });
    res.end(readFileSync(join(this.dist, name)));
  }

  get(res, url, me) {
    const { pathname, searchParams } = url;
    const world = this.world;
    if (pathname === '/api/me') return send(res, 200, { ...me, demo: true, ws_port: this.wsPort });
    if (pathname === '/api/state') return send(res, 200, this.snapshot());
    if (pathname === '/api/series') {
      const to = Number(searchParams.get('to')) || world.nowMs;
      const from = Number(searchParams.get('from')) || to - 900_000;
      const series = seriesOf(world, searchParams.get('scope'), from, to);
      if (searchParams.get('format') !== 'csv') return send(res, 200, series);
      res.writeHead(200, { 'content-type': 'text/csv' });
      return res.end(`ts_ms,attempts\r\n${series.points.map((p) => `${p.ts_ms},${p.attempts}`).join('\r\n')}\r\n`);
    }
    if (pathname === '/api/incidents') {
      const q = (searchParams.get('q') ?? '').toLowerCase();
      const found = Object.values(world.state.incidents).filter((i) => JSON.stringify(i).toLowerCase().includes(q));
      return send(res, 200, { incidents: found });
    }
    if (pathname === '/api/interventions') {
      const q = (searchParams.get('q') ?? '').toLowerCase();
      const found = Object.values(world.state.interventions).filter((i) => JSON.stringify(i).toLowerCase().includes(q));
      return send(res, 200, { interventions: found.map((i, n) => ({ ...i, audit_seq: 100 + n, audit_hash: 'd'.repeat(64) })), more: false });
    }
    if (pathname === '/api/replay') {
      const at = Number(searchParams.get('at')) || world.nowMs;
      return send(res, 200, {
        done: true, from_ms: world.nowMs - 3_600_000, to_ms: world.nowMs, at_ms: at, before_ms: at - 8000, after_ms: at < world.nowMs ? at + 8000 : 0,
        steps: 400, steps_done: 400, state: world.state,
      });
    }
    if (pathname === '/api/audit') {
      if (!['auditor', 'admin'].includes(me.role)) return send(res, 403, { error: 'forbidden', detail: 'auditors only' });
      const before = Number(searchParams.get('before')) || 401;
      const records = Array.from({ length: 50 }, (_, n) => ({ seq: before - 1 - n, ts_ms: world.nowMs - n * 2000, kind: n % 4 ? 'decision' : 'step', hash: 'b'.repeat(64), bytes: 2400 + n }));
      return send(res, 200, { records, first_seq: 1, last_seq: 400 });
    }
    if (pathname === '/api/simulator') {
      const paths = Object.values(world.state.cells).filter((c) => c.issuer !== '*' && c.method !== '*' && c.gateway !== '*')
        .map((c) => ({ path: { issuer: c.issuer, method: c.method, gateway: c.gateway }, success: c.success }));
      return send(res, 200, {
        scenario: 'demo', rate_tps: 50, speed: 4, now_ms: world.nowMs, kinds: ['outage', 'gateway_failure', 'latency_spike'],
        faults: [{ no: 1, kind: 'outage', scope: { issuer: 'HDFC', method: 'card', gateway: '*' }, severity: 0.5, at_ms: world.nowMs - 130_000 }], over: [], paths,
      });
    }
    if (pathname === '/api/audit/verify') {
      if (!['auditor', 'admin'].includes(me.role)) return send(res, 403, { error: 'forbidden', detail: 'auditors only' });
      return send(res, 200, { ok: true, records: 20411, last_seq: 20410, last_hash: 'c0ffee'.padEnd(64, '7') });
    }
    if (pathname.startsWith('/api/audit/')) {
      if (!['auditor', 'admin'].includes(me.role)) return send(res, 403, { error: 'forbidden', detail: 'auditors only' });
      const seq = Number(pathname.slice(11));
      return send(res, 200, { seq, ts_ms: world.nowMs, kind: 'decision', prev: 'a'.repeat(64), step: world.step, hash: 'b'.repeat(64) });
    }
    if (pathname.startsWith('/api/decisions/')) {
      const id = decodeURIComponent(pathname.slice(15));
      const found = Object.values(world.state.interventions).find((i) => i.decision_id === id);
      return found ? send(res, 200, found) : send(res, 404, { error: 'not_found', detail: id });
    }
    return send(res, 404, { error: 'not_found', detail: pathname });
  }

  async post(req, res, url, me, body) {
    const path = url.pathname;
    if (path === '/api/ticket') {
      const ticket = randomBytes(32).toString('base64url');
      this.tickets.set(ticket, Date.now() + 10_000);
      return send(res, 200, { ticket, expires_in: 10 });
    }
    if (path === '/api/token') {
      this.renewed += 1;
      return this.issue(res, me);
    }
    const key = req.headers['idempotency-key'];
    if (!key) return send(res, 400, { error: 'bad_request', detail: 'Idempotency-Key is missing' });
    if (this.answers.has(key)) return send(res, ...this.answers.get(key));
    if (this.slowMs) await new Promise((r) => setTimeout(r, this.slowMs));
    this.calls.push({ path, body, user: me.user, key });
    const answer = this.command(path, body, me);
    this.answers.set(key, answer);
    return send(res, ...answer);
  }

  command(path, body, me) {
    const rank = RANK[me.role] ?? 0;
    let m = /^\/api\/proposals\/([^/]+)\/(approve|reject)$/.exec(path);
    if (m) {
      if (rank < RANK.approver) return [403, { error: 'forbidden', detail: 'approvers only' }];
      return this.verdict(decodeURIComponent(m[1]), m[2], body, me);
    }
    m = /^\/api\/incidents\/([^/]+)\/(ack|note|silence|cause)$/.exec(path);
    if (m) return rank < 1 ? [403, { error: 'forbidden', detail: 'operators only' }] : [200, { result: 'done', why: '' }];
    if (path === '/api/simulator' || path === '/api/mode' || path === '/api/interventions') return rank < 1 ? [403, { error: 'forbidden', detail: 'operators only' }] : [200, { result: 'done', why: '' }];
    if (path === '/api/kill') {
      if (rank < (body.on ? RANK.operator : RANK.admin)) {
        return [403, { error: 'forbidden', detail: body.on ? 'operators only' : 'only an admin lets it act again' }];
      }
      this.world.killed = body.on;
      this.world.header();
      this.push({ header: this.world.state.header });
      return [200, { result: body.on ? 'on' : 'off', why: '' }];
    }
    return [404, { error: 'not_found', detail: path }];
  }

  verdict(id, verdict, body, me) {
    const found = this.world.state.interventions[id];
    if (!found) return [404, { error: 'not_found', detail: id }];
    if (found.state !== 'proposed' || found.shown_hash !== body.shown_hash) {
      return [409, { error: 'stale', detail: 'it changed since it was shown' }];
    }
    const now = this.world.nowMs;
    const next = verdict === 'approve'
      ? { ...found, state: 'active', issued_ms: now, answer_by_ms: 0, why: `approved by ${me.user}` }
      : { ...found, state: 'rejected', answer_by_ms: 0, why: `rejected by ${me.user}: ${body.reason}` };
    this.world.state.interventions[id] = next;
    this.push({ interventions: { [id]: next } });
    return [200, { result: verdict === 'approve' ? 'granted' : 'rejected', why: '' }];
  }
}

const listen = (server, port) => new Promise((done, failed) => {
  server.once('error', failed);
  server.listen(port, '127.0.0.1', done);
});
const close = (server) => new Promise((done) => server.close(done));

function send(res, status, body) {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(body));
}

async function read(req) {
  let text = '';
  for await (const chunk of req) {
    text += chunk;
    if (text.length > 65536) throw new Error('too large');
  }
  return text;
}
