// The page in Debian's Chromium against the development server.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before, describe, test } from 'node:test';
import { build } from '../build.mjs';
import { DevServer } from '../dev/server.mjs';
import { World } from '../dev/world.mjs';
import { go as goTo, openBrowser, openPage, turnsStale } from '../dev/browser.mjs';
import { until } from '../dev/until.mjs';

const SHOTS = fileURLToPath(new URL('../../../build/console-shots', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const VIEWS = ['now', 'approvals', 'incident/inc-7f3a91c2', 'series/HDFC%7Ccard%7C*', 'history', 'learned', 'graph', 'simulator', 'audit', 'replay/0/now'];
const FAST = { timeout: 60_000 };

let browser, server, page;
before(async () => {
  await build();
  browser = await openBrowser();
});
after(() => browser?.close());
afterEach(async () => {
  await page?.context().close();
  await server?.stop().catch(() => undefined);
  page = server = undefined;
});

async function open(hash = '', user = 'approver', options = {}, world = new World()) {
  server = await new DevServer({ world, ...options.server }).start();
  page = await openPage(browser, server, user, options.page);
  if (hash) await go(hash);
  return page;
}
const go = (hash) => goTo(page, server, hash);
const calls = (count) => until(`${count} calls`, 15_000, () => server.calls.length >= count);
// The facts of the proposal have stood in view for as long as they must: from now on keys count.
const looked = () => page.locator('.proposal[data-looked]').waitFor();
const disabled = (name) => page.getByRole('button', { name }).and(page.locator(':disabled')).waitFor();
const enabled = (name) => page.getByRole('button', { name }).and(page.locator(':enabled')).waitFor();
const cell = (name) => page.getByRole('link', { name: new RegExp(`^${name} `) });

describe('now', () => {
  test('a fault shows: cell, card, money, and a proposal that waits', FAST, async () => {
    const calm = new World({ calm: true });
    await open('', 'viewer', { server: { tickMs: 0 } }, calm);
    await page.getByText('Nothing is degraded. The agent watches').waitFor();
    const broken = new World();
    Object.assign(calm.state.incidents, broken.state.incidents);
    const at = performance.now();
    server.push({ cells: broken.state.cells, header: broken.state.header, incidents: broken.state.incidents, interventions: broken.state.interventions });
    await cell('HDFC card').and(page.locator('[aria-label*="severe"]')).waitFor();
    await page.locator('.card.severe', { hasText: 'HDFC · card' }).waitFor();
    console.log(`# shown ${(performance.now() - at).toFixed(0)} ms after it was sent`);
    await page.locator('.figure.risk .value', { hasText: /₹1,8\d,\d{3}/ }).waitFor();
    await page.locator('.waiting', { hasText: '2 proposals wait' }).waitFor();
    await page.locator('.grid-row[aria-rowindex="2"]', { hasText: 'HDFC' }).waitFor();
    assert.deepEqual(page.faults, []);
  });

  test('the gateway switch shows the paths of one gateway', FAST, async () => {
    await open();
    await cell('ICICI upi').and(page.locator('[aria-label*="as usual"]')).waitFor();
    await page.getByRole('radio', { name: 'BILLDESK' }).check();
    await cell('ICICI upi').and(page.locator('[aria-label*="degraded"]')).waitFor();
  });

  test('the grid is walked with the arrows, and Enter opens a series', FAST, async () => {
    await open('', 'approver', { server: { tickMs: 0 } });
    await page.locator('.grid-body [tabindex="0"]').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    const second = await page.locator('.grid-row[aria-rowindex="3"] .issuer').textContent();
    await page.locator(`:focus[aria-label^="${second} card "]`).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: `${second} · card` }).waitFor();
    await page.locator('.chart canvas').first().waitFor();
  });

  test('a script in an issuer’s name does nothing but be read', FAST, async () => {
    const evil = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>';
    await open('', 'viewer', {}, new World({ issuers: [evil, '"><svg onload=window.owned=1>'] }));
    for (const view of ['now', `series/${encodeURIComponent(`${evil}|*|*`)}`, 'history', 'learned']) await go(view);
    await go('now');
    await page.getByText(evil, { exact: true }).first().waitFor();
    assert.equal(await page.evaluate(() => window.owned), undefined);
    assert.equal(await page.locator('#main img, #main script').count(), 0);
  });

  test('a thousand issuers with eight methods: only the rows in view exist', { timeout: 60_000 }, async () => {
    await open('', 'viewer', { server: { tickMs: 0 } }, wideWorld(1000));
    await page.locator('.grid-body .grid-row').first().waitFor();
    await page.locator('.grid[aria-rowcount="1001"]').waitFor();
    assert.ok(await page.locator('.grid-body .grid-row').count() < 40);
    await page.locator('.grid-scroll').evaluate((e) => { e.scrollTop = e.scrollHeight; });
    await page.getByText('BANK1000', { exact: true }).waitFor();
    await page.getByLabel('Find issuer').fill('0777');
    await page.waitForFunction(() => document.querySelectorAll('.grid-body .grid-row').length === 1);
    await page.getByText('BANK0777', { exact: true }).waitFor();
  });
});

export const wideWorld = (n) => new World({
  issuers: Array.from({ length: n }, (_, i) => `BANK${String(i + 1).padStart(4, '0')}`),
  methods: ['card', 'upi', 'wallet', 'bnpl', 'netbanking', 'emi', 'paylater', 'mandate'],
});

describe('the session', () => {
  test('a token is exchanged before it ends', FAST, async () => {
    await open('', 'viewer', { server: { tokenS: 4 } });
    await until('two renewals', 20_000, () => server.renewed >= 2);
    assert.equal(await page.locator('#password').count(), 0);
    assert.deepEqual(page.faults, []);
  });

  test('when it is over the view stays, and one signs in over it', FAST, async () => {
    await open('', 'approver');
    server.tokens.clear();
    await page.goto(`${server.url}/#/history`);
    const again = page.getByRole('dialog', { name: 'Sign in again' });
    await again.waitFor();
    await page.keyboard.press('Escape');
    assert.ok(await again.isVisible());
    assert.equal(await page.locator('#main[data-view="history"] > *').count() > 0, true);
    await page.fill('#user', 'approver');
    await page.fill('#password', 'approver');
    await page.keyboard.press('Enter');
    await again.waitFor({ state: 'detached' });
    await go('now');
    await page.waitForFunction(() => !document.documentElement.hasAttribute('data-stale'));
  });
});

describe('approvals', () => {
  test('approving by key posts the right call, and only after a look', FAST, async () => {
    await open('approvals');
    const proposal = server.world.state.interventions['act-9c2e4410'];
    const hash = proposal.shown_hash;
    await page.getByRole('heading', { name: /Keep 25 % of customers off HDFC/ }).waitFor();
    await looked();
    await page.keyboard.press('j');
    // In one go with the look: a key that comes at once decides nothing.
    await page.evaluate(() => {
      for (const key of ['k', 'a']) dispatchEvent(new KeyboardEvent('keydown', { key }));
    });
    await page.getByText('Read the blast radius').waitFor();
    assert.equal(server.calls.length, 0);
    await looked();
    await page.keyboard.press('a');
    await page.getByText(/Done: granted/).waitFor();
    assert.equal(server.calls.length, 1);
    assert.equal(server.calls[0].path, '/api/proposals/act-9c2e4410/approve');
    assert.deepEqual(server.calls[0].body, { shown_hash: hash });
    assert.ok(server.calls[0].key.length >= 16);
    await page.getByRole('heading', { name: /Move 50 % of ICICI/ }).waitFor();
  });

  test('j and k move, r asks for a reason', FAST, async () => {
    await open('approvals');
    await page.getByRole('heading', { name: /Keep 25 %/ }).waitFor();
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: /Move 50 %/ }).waitFor();
    await page.keyboard.press('k');
    await page.getByRole('heading', { name: /Keep 25 %/ }).waitFor();
    await looked();
    await page.keyboard.press('k');  // there is nothing above: what has been read stays read
    await looked();
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: /Move 50 %/ }).waitFor();
    await looked();
    await page.keyboard.press('r');
    await page.getByLabel('Reason, for the audit log').fill('billdesk is back');
    await page.keyboard.press('Control+Enter');
    await page.getByText(/Done: rejected/).waitFor();
    assert.equal(server.calls[0].body.reason, 'billdesk is back');
    assert.match(server.calls[0].path, /act-e07b3321\/reject$/);
  });

  test('what was behind an incident is confirmed, the likeliest cause offered first', FAST, async () => {
    await open('incident/inc-7f3a91c2');
    await enabled('Confirm cause');
    await page.getByRole('button', { name: 'Confirm cause' }).click();
    const cause = page.getByLabel('Cause', { exact: true });
    await cause.waitFor();
    assert.equal(await cause.inputValue(), 'issuer_down');
    await cause.selectOption('gateway_down');
    await page.getByRole('button', { name: 'Confirm', exact: true }).click();
    await calls(1);
    assert.equal(server.calls[0].path, '/api/incidents/inc-7f3a91c2/cause');
    assert.deepEqual(server.calls[0].body, { cause: 'gateway_down' });
  });

  test('a fast clicker sends one verdict', FAST, async () => {
    await open('approvals');
    server.slowMs = 300;
    await enabled('Approve');
    const button = page.getByRole('button', { name: 'Approve' });
    await button.evaluate((b) => { for (let i = 0; i < 5; i++) b.click(); });
    await page.getByText(/Done: granted/).waitFor();
    assert.equal(server.calls.length, 1);
  });

  test('a proposal that changed since it was shown is refused and said so', FAST, async () => {
    await open('approvals');
    await page.getByRole('heading', { name: /Keep 25 %/ }).waitFor();
    server.world.state.interventions['act-9c2e4410'].shown_hash = 'f'.repeat(64);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText(/It changed since it was shown/).waitFor();
  });

  test('a viewer sees and cannot decide; keys can be turned off', FAST, async () => {
    await open('approvals', 'viewer');
    await disabled('Approve');
    await looked();
    await page.keyboard.press('a');
    await page.getByText('Only an approver may decide this.').waitFor();
    await page.keyboard.press('?');
    await page.getByLabel('Single keys work').uncheck();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('h');
    assert.match(page.url(), /approvals/);
    assert.equal(server.calls.length, 0);
  });
});

describe('what else can be done', () => {
  test('a proposal of one’s own, a mode, a fault: each asks and posts once', FAST, async () => {
    await open('approvals', 'admin');
    await enabled('Propose an intervention');
    await page.keyboard.press('i');
    await page.getByLabel('Issuer').selectOption('HDFC');
    await page.getByRole('button', { name: 'Propose', exact: true }).click();
    await page.getByText(/^Done/).waitFor();
    await calls(1);
    assert.equal(server.calls[0].path, '/api/interventions');
    assert.equal(server.calls[0].body.scope.issuer, 'HDFC');
    await page.locator('button.agent-state').click();
    await page.getByLabel('From now on').selectOption('observe');
    await page.getByRole('button', { name: 'Set' }).click();
    await calls(2);
    assert.deepEqual(server.calls[1].path, '/api/mode');
    assert.equal(server.calls[1].body.mode, 'observe');
    await go('simulator');
    await page.getByLabel('Gateway').selectOption('PAYU');
    await page.getByRole('button', { name: 'Break it' }).click();
    await page.getByText('It breaks at the next second.').waitFor();
    assert.equal(server.calls[2].body.fault.scope.gateway, 'PAYU');
    assert.deepEqual(page.faults, []);
  });

  test('an empty queue says why, and an admin can have it filled', FAST, async () => {
    await open('approvals', 'admin', {}, new World({ calm: true }));
    await page.getByText('Nothing waits for a person.').waitFor();
    await page.getByText(/The agent goes ahead by itself/).waitFor();
    await page.getByRole('button', { name: 'Ask me first' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Ask me first' }).click();
    await page.getByText('From now on it asks first.').waitFor();
    const auto = Object.entries(server.world.state.header.now.mode).filter(([type, mode]) => mode === 'auto' && !['alert_ops', 'no_action'].includes(type));
    assert.ok(auto.length > 0);
    assert.deepEqual(server.calls.map((c) => c.body.type).sort(), auto.map(([type]) => type).sort());
    for (const call of server.calls) assert.deepEqual([call.path, call.body.mode], ['/api/mode', 'approve']);
  });

  test('replay: actions are off, links stay in it, and it is left', FAST, async () => {
    await open('replay/0/now', 'admin');
    await page.locator('.replay-bar').waitFor();
    await page.locator('.card').first().waitFor();
    await disabled('Stop the agent');
    await page.getByRole('link', { name: /^Approvals/ }).click();
    await page.getByRole('heading', { name: /Keep 25 %/ }).waitFor();
    await page.waitForURL(/#\/replay\/\d+\/approvals/);
    await disabled('Approve');
    await page.getByRole('button', { name: 'The step before' }).click();
    await page.waitForFunction(() => !/replay\/0\//.test(location.hash));
    await page.getByRole('button', { name: 'Back to live' }).click();
    await page.locator('.replay-bar').waitFor({ state: 'hidden' });
    await enabled('Approve');
  });
});

describe('the connection', () => {
  test('a dead server is stale within six seconds, disables actions, and comes back by itself', { timeout: 90_000 }, async () => {
    await open('approvals');
    await enabled('Approve');
    await page.evaluate(() => { window.mark = 1; });
    const stale = await turnsStale(page);
    const { port, wsPort, tokens } = server;
    await server.stop();
    const died = Date.now();
    assert.ok(await stale() - died < 6000, 'stale within six seconds');
    await page.getByText(/Stale: the server is silent/).waitFor();
    await disabled('Approve');
    await disabled('Stop the agent');
    server = new DevServer({ port, wsPort });
    server.tokens = tokens;
    await server.start();
    server.tokens = tokens;
    await page.locator('html:not([data-stale])').waitFor({ timeout: 30_000 });
    await enabled('Approve');
    assert.equal(await page.evaluate(() => window.mark), 1, 'the page was not loaded again');
  });

  test('a gap in the numbers brings a new snapshot', FAST, async () => {
    await open('', 'viewer', { server: { tickMs: 0 } });
    await page.locator('.card').first().waitFor();
    server.seq += 3;
    const next = { ...server.world.state.header.now, conclusion: 'Seen after the gap.' };
    server.world.state.header.now = next;
    server.push({ header: { now: next } });
    await page.getByText('Seen after the gap.').waitFor();
  });

  test('a reload loses nothing, and a wrong password is said', FAST, async () => {
    await open('approvals');
    await page.reload();
    await page.getByRole('heading', { name: /Keep 25 %/ }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.fill('#user', 'approver');
    await page.fill('#password', 'wrong');
    await page.keyboard.press('Enter');
    await page.getByText('Wrong user or password.').waitFor();
  });

  test('the kill switch asks, and posts', FAST, async () => {
    await open('', 'operator');
    await enabled('Stop the agent');
    await page.keyboard.press('x');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Stop the agent' }).click();
    await page.getByLabel('Reason, for the audit log').fill('drill');
    await page.getByRole('dialog').getByRole('button', { name: 'Stop the agent' }).click();
    await page.locator('.agent-state.killed').waitFor();
    assert.deepEqual(server.calls[0].body, { on: true, reason: 'drill' });
    await disabled('Let it act again');  // admins only
  });
});

describe('for everyone', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing on any view, ${colorScheme}`, { timeout: 180_000 }, async () => {
      await open('', 'admin', { page: { colorScheme, bypassCSP: true } });
      const found = [];
      for (const view of [...VIEWS, '?', 'signin']) {
        if (view === '?') await page.keyboard.press('?');
        else if (view === 'signin') {
          await page.keyboard.press('Escape');
          await page.getByRole('button', { name: 'Sign out' }).click();
        } else {
          await go(view);
          await page.waitForTimeout(400);
          for (const d of await page.locator('#main details').all()) await d.evaluate((e) => { e.open = true; });
        }
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => window.axe.run(document, {
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        }));
        for (const v of violations) found.push(`${view}: ${v.id} ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`);
      }
      assert.deepEqual(found, []);
    });
  }

  test('stale, nothing loses its contrast', { timeout: 60_000 }, async () => {
    await open('', 'admin', { page: { bypassCSP: true } });
    server.silent = true;
    await page.locator('html[data-stale]').waitFor();
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2aa'] }));
    assert.deepEqual(violations.map((v) => v.id), []);
  });

  for (const [width, height] of [[360, 780], [1440, 900], [2560, 1440]]) {
    test(`screenshots at ${width} px, and nothing is wider than the screen`, { timeout: 240_000 }, async () => {
      mkdirSync(SHOTS, { recursive: true });
      await open('', 'admin', { page: { viewport: { width, height } } });
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        for (const view of VIEWS) {
          await go(view);
          await page.waitForTimeout(600);
          const name = view.split('/')[0];
          await page.screenshot({ path: `${SHOTS}/${name}-${width}-${colorScheme}.png`, fullPage: true });
          const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(over <= 0, `${name} is ${over} px wider than ${width}`);
        }
      }
      assert.deepEqual(page.faults, []);
    });
  }
});
