// The real thing for tests: Apache Kafka, the built program as agent and as world, each a process
// of its own, with their data in a temporary folder.
import { execFile, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './until.mjs';

const run = promisify(execFile);
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const BINARY = process.env.PAYOPS_BINARY ?? join(ROOT, 'build/dev/payops');

// Ports that were free a moment ago: an agent that is started again must be at the old ones.
async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

export class Payops {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'payops-live-'));
    this.processes = new Set();
  }

  // `users`: name -> role; the password is "<name>'s own".
  async start({ users, agent = '', mode = 'approve' }) {
    await run(join(ROOT, 'scripts/kafka'), ['start', '--data', join(this.folder, 'kafka'), '--port-file', join(this.folder, 'bootstrap')], { cwd: ROOT });
    this.bootstrap = readFileSync(join(this.folder, 'bootstrap'), 'utf8').trim();
    [this.port, this.wsPort] = [await freePort(), await freePort()];
    this.mode = mode;
    this.config = join(this.folder, 'agent.yaml');
    writeFileSync(this.config, `process: {kill_file: ${this.folder}/kill}
streaming: {bootstrap: "${this.bootstrap}"}
console: {http_port: ${this.port}, ws_port: ${this.wsPort}, users_file: ${this.folder}/users.json}
${agent}`);
    await this.payops('topics', 'create', '--bootstrap', this.bootstrap);
    for (const [name, role] of Object.entries(users)) {
      const added = this.spawn('users', ['users', 'add', name, '--role', role, '--file', `${this.folder}/users.json`], 'pipe');
      added.stdin.end(`${name}'s own\n`);
      await added.over;
      if (added.exitCode !== 0) throw new Error(`payops users add: ${added.text()}`);
    }
    await this.startAgent();
  }

  get url() { return `http://localhost:${this.port}`; }

  async startAgent() {
    this.agent = this.spawn('agent', ['agent', '--config', this.config, '--mode', this.mode, '--state', `${this.folder}/state`, '--audit', `${this.folder}/audit`]);
    await until('the console answers', 60_000, async () => {
      if (this.agent.exitCode !== null) throw new Error(`the agent ended: ${this.agent.text()}`);
      return fetch(`${this.url}/healthz`).then((r) => r.ok, () => false);
    });
  }

  // A world in real time after `warmUp` seconds published at once.
  startWorld(scenario, warmUp) {
    const file = join(this.folder, 'scenario.yaml');
    writeFileSync(file, scenario);
    this.world = this.spawn('world', ['simulate', '--bootstrap', this.bootstrap, '--scenario', file, '--seed', '7', '--warm-up', String(warmUp)]);
  }

  spawn(name, args, stdin = 'ignore') {
    const child = spawn(BINARY, args, { cwd: ROOT, stdio: [stdin, 'pipe', 'pipe'] });
    let text = '';
    const log = createWriteStream(join(this.folder, `${name}.log`), { flags: 'a' });
    child.lines = [];  // (moment, line)
    let rest = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes) => {
        text += bytes;
        log.write(bytes);
        const lines = (rest + bytes).split('\n');
        rest = lines.pop();
        for (const line of lines) child.lines.push([performance.now(), line]);
      });
    }
    child.text = () => text;
    child.over = new Promise((done) => child.once('exit', done));
    this.processes.add(child);
    return child;
  }

  async payops(...args) { return (await run(BINARY, args, { cwd: ROOT })).stdout; }

  // Every record of a topic by Debian's kcat, which shares nothing with payops but librdkafka.
  async topic(name) {
    const { stdout } = await run('kcat', ['-C', '-b', this.bootstrap, '-t', name, '-e', '-q', '-o', 'beginning', '-J', '-X', 'isolation.level=read_committed'], { maxBuffer: 1 << 28 });
    return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  async stop() {
    for (const child of this.processes) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all([...this.processes].map((child) => child.over));
    await run(join(ROOT, 'scripts/kafka'), ['stop', '--now', '--data', join(this.folder, 'kafka')], { cwd: ROOT }).catch(() => undefined);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
