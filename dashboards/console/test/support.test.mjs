// The support chat, the desk and the manager's figures in Debian's Chromium, against the built
// program on its development broker. One story, told in order.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from '../dev/browser.mjs';
import { Payops } from '../dev/payops.mjs';
import { until } from '../dev/until.mjs';

const SHOTS = fileURLToPath(new URL('../../../build/support-shots', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SLOW = { timeout: 60_000 };
// So few examples that the model is learnt in a moment.
const INTENTS = `intents:
  - {name: charged_twice, class: COMPLAINT, about: a, keywords: [charged twice], examples: [i was charged twice, charged two times, double charge]}
  - {name: refund_howto, class: FAQ, about: b, keywords: [refund take], examples: [how long does a refund take, refund time, days for a refund]}
  - {name: talk_to_person, class: COMPLAINT, to_person: true, about: d, keywords: [a human], examples: [let me talk to a human, get me a human please, a person please]}
  - {name: chit_chat, class: UNKNOWN, about: c, keywords: [hello], examples: [hello there, good morning friend, how are you today]}
`;
const ARTICLE = `---
title: How long a refund takes
topics: [refund]
intents: [refund_howto]
asks:
  - how many days for a refund
  - how long does a refund take
---

A refund takes 5 to 7 working days.
`;
const USERS = { asha: 'customer', ravi: 'customer', dev: 'support_agent', meera: 'support_manager' };

let payops, browser, url, customer, desk;
before(async () => {
  payops = new Payops();
  const at = (name) => join(payops.folder, name);
  for (const name of ['intents', 'faq']) mkdirSync(at(name));
  writeFileSync(at('intents/few.yaml'), INTENTS);
  writeFileSync(at('faq/refund_time.md'), ARTICLE);
  payops.spawn('broker', ['broker', '--port-file', at('bootstrap')]);
  const bootstrap = await until('the broker is up', 60_000, () =>
    existsSync(at('bootstrap')) && readFileSync(at('bootstrap'), 'utf8').trim());
  writeFileSync(at('support.yaml'), `process: {articles: ${at('faq')}, intents: ${at('intents')}, state_dir: ${at('state')}, audit_dir: ${at('audit')}}
http: {users_file: ${at('users.json')}, port: 0, ws_port: 0}
streaming: {bootstrap: "${bootstrap}"}
`);
  for (const [name, role] of Object.entries(USERS)) {
    const added = payops.spawn('users', ['users', 'add', name, '--role', role, '--file', at('users.json')], 'pipe');
    added.stdin.end(`${name}'s own\n`);
    await added.over;
    assert.equal(added.exitCode, 0, added.text());
  }
  const agent = payops.spawn('support', ['support', '--config', at('support.yaml')]);
  url = await until('the agent says where it listens', 90_000, () => {
    assert.equal(agent.exitCode, null, agent.text());
    return agent.text().match(/http:\/\/localhost:\d+/)?.[0];
  });
  await until('the agent is ready', 60_000, () => fetch(`${url}/readyz`).then((r) => r.ok, () => false));
  browser = await openBrowser();
}, { timeout: 240_000 });
after(async () => {
  await browser?.close();
  await payops?.stop();
}, { timeout: 60_000 });

async function signIn(user, password = `${user}'s own`, first = undefined) {
  const context = await browser.newContext({ viewport: { width: 900, height: 900 } });
  if (first) await context.addInitScript(first);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  await page.goto(`${url}/chat`);
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  return page;
}
const line = (page) => page.locator('#chat[data-line="open"]').waitFor();
async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}
async function accessible(page, shot) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${shot}.png`), fullPage: true });
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`), []);
}

describe('the support pages', () => {
  test('a wrong password is said so', SLOW, async () => {
    const page = await signIn('asha', 'wrong');
    await page.getByText('wrong name or password').waitFor();
    await page.context().close();
  });

  test('a customer asks and is answered from an article', SLOW, async () => {
    customer = await signIn('asha');
    await customer.getByText('asha (customer)').waitFor();
    assert.ok(!await customer.getByRole('region', { name: 'Support desk' }).isVisible());
    await say(customer, 'how long does a refund take');
    await customer.locator('#messages li', { hasText: '5 to 7 working days' }).waitFor();
    await customer.locator('#typing').waitFor({ state: 'hidden' });
    await customer.getByRole('button', { name: 'Helpful', exact: true }).click();
    await customer.getByText('Thank you for telling us.').waitFor();
  });

  test('what a customer writes is text and never a page', SLOW, async () => {
    await say(customer, '<img src=x onerror="window.owned=1"> hello there');
    await customer.locator('#messages li.user', { hasText: '<img src=x' }).waitFor();
    await customer.locator('#messages li.agent').nth(1).waitFor();
    assert.equal(await customer.evaluate(() => window.owned), undefined);
    assert.equal(await customer.locator('#messages img').count(), 0);
    await accessible(customer, 'chat');
  });

  test('a reload and a new sign-in bring the conversation back', SLOW, async () => {
    await customer.reload();
    await customer.getByLabel('Name').fill('asha');
    await customer.getByLabel('Password').fill("asha's own");
    await customer.getByRole('button', { name: 'Sign in' }).click();
    await customer.locator('#messages li.user', { hasText: 'how long does a refund take' }).waitFor();
    await customer.locator('#messages li.agent', { hasText: '5 to 7 working days' }).waitFor();
  });

  test('a line that is lost comes back', SLOW, async () => {
    await line(customer);
    await customer.evaluate(() => { window.lost = socket; socket.close(); });
    await customer.waitForFunction(() => socket !== null && socket !== lost);
    await line(customer);
  });

  test('without a WebSocket the page asks over HTTP', SLOW, async () => {
    const page = await signIn('ravi', undefined, () => { window.WebSocket = class { constructor() { throw new Error('none'); } }; });
    await say(page, 'let me talk to a human');
    await page.locator('#messages li.agent', { hasText: 'A person takes over' }).waitFor();
    const session = await page.evaluate(() => session);
    const token = await fetch(`${url}/oauth2/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'password', username: 'dev', password: "dev's own" }) });
    const headers = { Authorization: `Bearer ${(await token.json()).access_token}` };
    for (const [what, text] of [['take_over', ''], ['reply', 'Dev here, without a line.'], ['hand_back', '']]) {
      const done = await fetch(`${url}/desk/${session}/${what}`, { method: 'POST', headers, body: JSON.stringify({ text }) });
      assert.equal(done.status, 204);
    }
    await page.locator('#messages li.agent', { hasText: 'Dev here, without a line.' }).waitFor();
    assert.equal(await page.locator('#chat[data-line]').count(), 0);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });

  test("nobody's line carries what another is told", SLOW, async () => {
    const listen = () => {
      window.came = [];
      const Plain = WebSocket;
      window.WebSocket = class extends Plain {
        constructor(...how) {
          super(...how);
          this.addEventListener('message', (event) => came.push(event.data));
        }
      };
    };
    const ravi = await signIn('ravi', undefined, listen);
    await line(ravi);
    await say(customer, 'how long does a refund take');
    await customer.locator('#messages li.agent', { hasText: '5 to 7 working days' }).nth(1).waitFor();
    await say(ravi, 'i was charged twice');
    await ravi.waitForFunction(() => came.some((text) => JSON.parse(text).kind === 'reply'));
    for (const text of await ravi.evaluate(() => came)) assert.ok(!text.includes('5 to 7 working days') && !text.includes('asha'), text);
    await ravi.context().close();
  });

  test('one who asks for a human waits at the desk, and gets the answer without asking again', SLOW, async () => {
    // What the page says of who types, for however short a while.
    await customer.evaluate(() => {
      window.typed = [];
      const typing = document.getElementById('typing');
      new MutationObserver(() => { if (!typing.hidden) typed.push(typing.textContent); })
        .observe(typing, { attributes: true, childList: true, characterData: true, subtree: true });
    });
    await say(customer, 'let me talk to a human');
    await customer.locator('#messages li.agent', { hasText: 'A person takes over' }).waitFor();
    desk = await signIn('dev');
    const waiting = desk.getByRole('article', { name: /asha/ });
    await waiting.waitFor();
    await waiting.getByRole('button', { name: 'Take over' }).click();
    await waiting.getByText('with a person').waitFor();
    await waiting.getByRole('textbox').fill('Dev here: I have your refund in front of me.');
    await customer.waitForFunction(() => typed.includes('A person is typing…'));
    await waiting.getByRole('button', { name: 'Reply' }).click();
    await customer.locator('#messages li.agent', { hasText: 'Dev here: I have your refund' }).waitFor();
    assert.equal(await customer.locator('#messages li', { hasText: 'Dev here: I have your refund' }).count(), 1);
    await accessible(desk, 'desk');
    await waiting.getByRole('button', { name: 'Hand back' }).click();
    await desk.getByText('Nobody waits.').waitFor();
    assert.ok(!await desk.getByRole('heading', { name: 'Figures' }).isVisible());
  });

  test('the manager sees the figures', SLOW, async () => {
    const manager = await signIn('meera');
    await manager.getByRole('heading', { name: 'Figures' }).waitFor();
    await manager.locator('dd', { hasText: 'talk_to_person 2' }).first().waitFor();
    await manager.locator('dd', { hasText: '1 up, 0 down' }).waitFor();
    await accessible(manager, 'manager');
    for (const page of [customer, desk, manager]) assert.deepEqual(page.faults, []);
  });
});
