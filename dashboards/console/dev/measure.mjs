// npm run measure: the page's weight, its first paint, and its frames while 500 cells change four
// times a second, in Chromium. Prints the figures of docs/console.md.
import { build } from '../build.mjs';
import { DevServer } from './server.mjs';
import { World } from './world.mjs';
import { openBrowser, openPage } from './browser.mjs';

const CELLS = 500;
const EVERY_MS = 250;
const SECONDS = 20;
const PAINTS = 5;

const sizes = await build();
const weight = sizes.reduce((sum, s) => sum + s.gzip, 0);
for (const s of sizes) console.log(`${s.name}: ${s.bytes} bytes, ${s.gzip} gzip`);
console.log(`weight: ${(weight / 1000).toFixed(1)} kB gzip`);

const world = new World({
  issuers: Array.from({ length: 1000 }, (_, i) => `BANK${String(i + 1).padStart(4, '0')}`),
  methods: ['card', 'upi', 'wallet', 'bnpl', 'netbanking', 'emi', 'paylater', 'mandate'],
});
const server = await new DevServer({ world, tickMs: 0 }).start();
const browser = await openBrowser();

const paints = [];
for (let i = 0; i < PAINTS; i++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.url);
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
  paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
  await context.close();
}
paints.sort((a, b) => a - b);
console.log(`first contentful paint, sign-in, ms: ${paints.map((p) => p.toFixed(0)).join(' ')}, median ${paints[PAINTS >> 1].toFixed(0)}`);

const page = await openPage(browser, server, 'viewer', { viewport: { width: 2560, height: 1440 } });
await page.locator('.grid-body .grid-row').first().waitFor();
const again = [];
for (let i = 0; i < PAINTS; i++) {
  await page.reload();
  await page.locator('.grid-body .grid-row').first().waitFor();
  again.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
}
again.sort((a, b) => a - b);
console.log(`first contentful paint, signed in, ms: ${again.map((p) => p.toFixed(0)).join(' ')}, median ${again[PAINTS >> 1].toFixed(0)}`);

const shown = await page.locator('.grid-body .grid-cell').count();
const keys = Object.keys(world.state.cells).filter((k) => !k.includes('*|*') && !k.startsWith('*')).slice(0, CELLS);
await page.evaluate(() => {
  window.frames_ms = [];
  window.tasks_ms = [];
  new PerformanceObserver((list) => { for (const e of list.getEntries()) window.tasks_ms.push(e.duration); }).observe({ type: 'longtask' });
  new PerformanceObserver((list) => { for (const e of list.getEntries()) window.loaf = (window.loaf ?? []).concat(e.duration); }).observe({ type: 'long-animation-frame' });
  let before = performance.now();
  const frame = (at) => { window.frames_ms.push(at - before); before = at; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
});
const cdp = await page.context().newCDPSession(page);
// In the processor's time, not the clock's: what others do on the machine does not count.
await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
const busy = async () => {
  const { metrics } = await cdp.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map((m) => [m.name, m.value]));
};
await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', '__metadata'] });
const [busy0, started] = [await busy(), performance.now()];
await new Promise((done) => {
  const timer = setInterval(() => {
    world.shake(keys);
    world.nowMs += EVERY_MS;
    world.header();
    server.push({ cells: Object.fromEntries(keys.map((k) => [k, world.state.cells[k]])), header: world.state.header });
    if (performance.now() - started > SECONDS * 1000) { clearInterval(timer); done(); }
  }, EVERY_MS);
});
const busy1 = await busy();
const trace = JSON.parse(await browser.stopTracing()).traceEvents;
const updates = (performance.now() - started) / EVERY_MS;
const cost = ['TaskDuration', 'ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration']
  .map((name) => `${name.replace('Duration', '').toLowerCase()} ${(1000 * (busy1[name] - busy0[name]) / updates).toFixed(1)}`);
const { frames, tasks, loaf } = await page.evaluate(() => ({ frames: window.frames_ms.slice(2), tasks: window.tasks_ms, loaf: window.loaf ?? [] }));
frames.sort((a, b) => a - b);
const at = (p) => frames[Math.min(frames.length - 1, Math.floor(frames.length * p))].toFixed(1);
console.log(`${CELLS} cells at ${1000 / EVERY_MS} Hz for ${SECONDS} s, 1,000 issuers × 8 methods, ${shown} cells in view at 2560 × 1440:`);
console.log(`frames ${frames.length}, ms between: median ${at(0.5)}, p99 ${at(0.99)}, worst ${at(1)}; over 50 ms: ${frames.filter((f) => f > 50).length}`);
console.log(`tasks over 50 ms: ${tasks.length}${tasks.length ? ` (${tasks.map((t) => t.toFixed(0)).join(' ')})` : ''}; long animation frames: ${loaf.length}`);
console.log(`main thread, processor ms per update: ${cost.join(', ')}`);
// Each task of the page's main thread in the processor's time: what a frame costs on a machine that
// does nothing else.
const mains = trace.filter((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map((e) => `${e.pid} ${e.tid}`);
const own = trace.filter((e) => /RunTask$/.test(e.name) && e.tdur !== undefined && mains.includes(`${e.pid} ${e.tid}`)).map((e) => e.tdur / 1000).sort((a, b) => b - a);
const slow = trace.filter((e) => /RunTask$/.test(e.name) && e.tdur > 40_000 && mains.includes(`${e.pid} ${e.tid}`));
if (process.argv.includes('--slow')) {
  for (const task of slow) {
    const inside = trace.filter((e) => e.tid === task.tid && e.pid === task.pid && e.tdur > 3000 && e.ts > task.ts && e.ts < task.ts + task.dur);
    console.log(`${(task.tdur / 1000).toFixed(1)} ms: ${inside.map((e) => `${e.name} ${(e.tdur / 1000).toFixed(1)}`).join(', ')}`);
  }
}
const costly = own.filter((t) => t > 50).length;
console.log(`tasks in processor time: ${own.length}, longest ${own.slice(0, 5).map((t) => t.toFixed(1)).join(' ')} ms, p99 ${own[Math.floor(own.length / 100)]?.toFixed(1)} ms; over 50 ms: ${costly}`);
await browser.close();
await server.stop();
