// The page in Debian's Chromium against the built program, a real Apache Kafka and an outage that
// happens while one looks. The tests are one story, told in order.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { go as goTo, openBrowser, openPage, turnsStale } from '../dev/browser.mjs';
import { Payops } from '../dev/payops.mjs';
import { until } from '../dev/until.mjs';
import { faults } from '../schema.mjs';

const SHOTS = fileURLToPath(new URL('../../../build/console-shots', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WARM_UP_S = 300;
const SCENARIO = `name: live_outage
description: HDFC goes down on every method, soon after the world has begun to run in real time.
rate_tps: 40
duration_s: 3600
drift: {sigma: 0.003}
faults:
  - {kind: outage, scope: {issuer: HDFC}, start_s: ${WARM_UP_S + 12}, duration_s: 3000, severity: 0.9}
`;
const USERS = { approver: 'approver', admin: 'admin', viewer: 'viewer' };

let payops, browser, page, token;
before(async () => {
  payops = new Payops();
  await payops.start({ users: USERS });
  browser = await openBrowser();
}, { timeout: 180_000 });
after(async () => {
  await browser?.close();
  await payops?.stop();
}, { timeout: 60_000 });

const signedIn = (user, options) => openPage(browser, payops, user, { password: `${user}'s own`, ...options });
async function api(path) {
  token ??= (await fetch(`${payops.url}/oauth2/token`, {
    method: 'POST', body: new URLSearchParams({ grant_type: 'password', username: 'admin', password: "admin's own" }),
  }).then((r) => r.json())).access_token;
  const response = await fetch(payops.url + path, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: await response.json() };
}
const go = (hash) => goTo(page, payops, hash);
const disabled = (name) => page.getByRole('button', { name }).and(page.locator(':disabled')).waitFor();
const state = async () => (await api('/api/state')).body.state;

describe('an outage', () => {
  test('shows within two seconds of the alarm', { timeout: 120_000 }, async () => {
    page = await signedIn('approver');
    payops.startWorld(SCENARIO, WARM_UP_S);
    await page.getByText('Nothing is degraded. The agent watches').waitFor({ timeout: 30_000 });
    await page.locator('html:not([data-stale])').waitFor({ timeout: 30_000 });
    await page.locator('.card', { hasText: 'HDFC' }).first().waitFor({ timeout: 60_000 });
    const shown = performance.now();
    const alarm = await until('the agent tells of the alarm', 5000, () => payops.agent.lines.find(([, line]) => /alarms [1-9]/.test(line)));
    console.log(`# the card came ${(shown - alarm[0]).toFixed(0)} ms after the agent's log line`);
    assert.ok(shown - alarm[0] < 2000);
    await page.locator('.grid-row[aria-rowindex="2"]', { hasText: 'HDFC' }).waitFor({ timeout: 15_000 });
  });

  // Presses `a` on what the page shows. A proposal that changes meanwhile must be read again, and one
  // that is no more is another's turn.
  async function approveByKey() {
    for (let tries = 0; tries < 5; tries++) {
      await page.locator('.proposal[data-looked]').waitFor();
      const hash = await page.locator('.proposal .hash code').textContent();
      const proposal = Object.values((await state()).interventions).find((i) => i.shown_hash === hash);
      if (!proposal) continue;
      await page.keyboard.press('a');
      const said = await page.locator('.toast').last().textContent({ timeout: 15_000 }).catch(() => '');
      if (/Done: granted/.test(said)) return proposal;
      console.log(`# not yet: ${said}`);
      await until('the message is gone', 20_000, async () => await page.locator('.toast').count() === 0);
    }
    throw new Error('the key approved nothing');
  }

  test('a key approves, and the action is on the topic', { timeout: 120_000 }, async () => {
    await page.locator('.waiting:not([hidden])').waitFor({ timeout: 60_000 });
    await page.keyboard.press('p');
    await page.locator('.proposal h2').waitFor();
    const proposal = await approveByKey();
    const action = await until('the action on payops.actions', 20_000, async () =>
      (await payops.topic('payops.actions')).map((r) => JSON.parse(r.payload || '{}')).find((a) => a.action_id === proposal.id));
    assert.equal(action.type, proposal.type);
    await until('it is active', 20_000, async () => (await state()).interventions[proposal.id]?.state === 'active');
    const told = (await api(`/api/interventions?q=${proposal.id}`)).body.interventions[0];
    assert.equal(told.state, 'active');
    const verdict = (await payops.topic('payops.approvals')).map((r) => JSON.parse(r.payload)).find((v) => v.proposal_id === proposal.id);
    assert.equal(verdict.by, 'approver');
    assert.equal(verdict.shown_hash, proposal.shown_hash);
    assert.match(verdict.sig, /^[0-9a-f]{128}$/);
    const record = await api(`/api/audit/${told.audit_seq}`);
    assert.equal(record.body.hash, told.audit_hash);
    assert.equal(record.body.intervention.action.action_id, proposal.id);
  });

  test('a reload loses nothing', { timeout: 60_000 }, async () => {
    await go('now');
    await page.reload();
    // Every incident that is still open has its card again.
    await until('the cards of all open incidents', 15_000, async () => {
      const open = Object.values((await state()).incidents).filter((i) => i.status !== 'resolved');
      const cards = await page.locator('.card').allTextContents();
      return open.length > 0 && open.every((i) => cards.some((card) => card.includes(i.scope.issuer === '*' ? '' : i.scope.issuer)));
    });
    await go('series/HDFC%7C*%7C*');
    await page.locator('.chart canvas').first().waitFor({ timeout: 15_000 });
    await page.getByText('Table', { exact: true }).click();
    // A row is five seconds: eleven of them are from before the page was there.
    await page.locator('.twin tbody tr').nth(10).waitFor();
  });

  test('everything that is sent is what the schema says', { timeout: 30_000 }, async () => {
    assert.deepEqual(faults('State', await state()), []);
    const now = (await state()).header.now.at_ms;
    assert.deepEqual(faults('Series', (await api(`/api/series?scope=HDFC%7C*%7C*&from=${now - 60_000}`)).body), []);
    for (const i of (await api('/api/interventions')).body.interventions) assert.deepEqual(faults('Intervention', i), []);
    for (const i of (await api('/api/incidents')).body.incidents) assert.deepEqual(faults('Incident', i), []);
  });

  test('what the history and the audit log say', { timeout: 60_000 }, async () => {
    const { body } = await api('/api/incidents?q=hdfc');
    assert.ok(body.incidents.length >= 1);
    assert.ok(body.incidents.some((i) => i.hypotheses.length > 0 && i.interventions.length > 0));
    const verified = (await api('/api/audit/verify')).body;
    assert.equal(verified.ok, true, verified.reason);
    const now = (await state()).header.now.at_ms;
    const csv = await fetch(`${payops.url}/api/series?scope=HDFC%7C*%7C*&format=csv&from=${now - 300_000}`, { headers: { authorization: `Bearer ${token}` } }).then((r) => r.text());
    assert.match(csv, /^time,ts_ms,attempts,success/);
    assert.ok(csv.split('\r\n').length > 20);
  });
});

describe('replay', () => {
  // Node timings and how far Kafka is ahead are what no log holds: replay says that it does not know.
  const unlogged = (header) => ({ ...header, now: { ...header.now, input_lag: null } });
  const comparable = (s) => ({ ...s, graph: Object.fromEntries(Object.entries(s.graph).map(([k, n]) => [k, { ...n, us: 0 }])) });

  test('equals what was shown', { timeout: 90_000 }, async () => {
    // Snapshots taken as a step ends: between steps the cells move on by the second.
    let equal = 0;
    for (let tries = 0; tries < 4 && equal === 0; tries++) {
      const step = (await state()).header.now.step;
      const shown = await until('the next step', 15_000, async () => {
        const now = await state();
        return now.header.now.step > step ? now : undefined;
      });
      const at = shown.header.now.at_ms;
      const replayed = await until('the log has the step', 15_000, async () => {
        const { status, body } = await api(`/api/replay?at=${at}`);
        assert.equal(status, 200, JSON.stringify(body));
        return body.done && body.state.header.now.step >= shown.header.now.step ? body.state : undefined;
      });
      if (replayed.header.now.step !== shown.header.now.step) continue;  // two steps of one moment
      for (const section of ['incidents', 'interventions', 'effects', 'graph']) {
        assert.deepEqual(comparable(replayed)[section], comparable(shown)[section], section);
      }
      if (shown.header.now.watermark_ms !== at) continue;
      assert.deepEqual(replayed.header, unlogged(shown.header));
      try {
        assert.deepEqual(replayed.cells, shown.cells);
        equal++;
      } catch (error) {
        if (tries === 3) throw error;
      }
    }
    assert.ok(equal > 0, 'no snapshot was taken just as a step ended');
  });

  test('goes back to before the fault, and knows nothing of it', { timeout: 60_000 }, async () => {
    const incident = Object.values((await state()).incidents).find((i) => i.scope.issuer === 'HDFC');
    await go(`replay/${incident.started_ms - 9000}/now`);
    await page.getByText('Nothing is degraded. The agent watches').waitFor({ timeout: 30_000 });
    await disabled('Stop the agent');
    await page.goto(`${payops.url}/#/replay/${incident.raised_ms + 1000}/incident/${incident.id}`);
    await page.getByRole('heading', { name: /HDFC/ }).first().waitFor({ timeout: 30_000 });
    await page.getByRole('button', { name: 'Back to live' }).click();
    await page.locator('.replay-bar').waitFor({ state: 'hidden' });
  });
});

describe('the agent is killed', () => {
  test('stale within six seconds; started again, the page recovers without a reload', { timeout: 120_000 }, async () => {
    await go('now');
    await page.locator('html:not([data-stale])').waitFor({ timeout: 30_000 });
    await page.evaluate(() => { window.mark = 1; });
    const stale = await turnsStale(page);
    payops.agent.kill('SIGKILL');
    await payops.agent.over;
    const died = Date.now();
    const after_ms = await stale() - died;
    console.log(`# stale ${after_ms} ms after the agent was killed`);
    assert.ok(after_ms < 6000);
    await disabled('Stop the agent');
    await payops.startAgent();
    await page.locator('html:not([data-stale])').waitFor({ timeout: 60_000 });
    await page.locator('.card', { hasText: 'HDFC' }).first().waitFor({ timeout: 30_000 });
    const now = (await state()).header.now.at_ms;
    await until('the series reach back to before the restart', 30_000, async () => {
      const { points } = (await api(`/api/series?scope=HDFC%7C*%7C*&from=${now - 240_000}`)).body;
      return points.length > 30;
    });
    assert.equal(await page.evaluate(() => window.mark), 1, 'the page was not loaded again');
    // The log goes on over the restart, and so does replay.
    await until('replay has read the log', 30_000, async () => (await api('/api/replay')).body.done);
  });
});

describe('every view, with what really happened', () => {
  test('axe finds nothing; screenshots are kept', { timeout: 240_000 }, async () => {
    mkdirSync(SHOTS, { recursive: true });
    await page.context().close();
    page = await signedIn('admin', { bypassCSP: true });
    const live = await state();
    const incident = Object.keys(live.incidents)[0];
    const at = live.header.now.at_ms;
    const views = ['now', 'approvals', `incident/${incident}`, 'series/HDFC%7C*%7C*', 'history', 'learned', 'graph', 'audit', `replay/${at}/now`];
    const found = [];
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      for (const view of views) {
        await go(view);
        await page.waitForTimeout(700);
        const name = `live-${view.split('/')[0]}`;
        for (const [width, height] of [[360, 780], [1440, 900], [2560, 1440]]) {
          await page.setViewportSize({ width, height });
          await page.waitForTimeout(150);
          await page.screenshot({ path: `${SHOTS}/${name}-${width}-${colorScheme}.png`, fullPage: true });
          const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(over <= 0, `${name} is ${over} px wider than ${width}`);
        }
        await page.setViewportSize({ width: 1440, height: 900 });
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => window.axe.run(document, {
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        }));
        for (const v of violations) found.push(`${view} ${colorScheme}: ${v.id} ${v.nodes.slice(0, 2).map((n) => n.target).join(' | ')}`);
      }
    }
    assert.deepEqual(found, []);
    assert.deepEqual(page.faults, []);
  });
});
