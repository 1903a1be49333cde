// Debian's Chromium through playwright-core, and a page signed in to a development server.
import { chromium } from 'playwright-core';

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// A page that is signed in as `user`; what goes wrong in it is collected in `page.faults`.
export async function openPage(browser, server, user = 'approver', options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/ERR_CONNECTION|WebSocket/.test(message.text())) page.faults.push(message.text());
  });
  await page.goto(server.url + (options.hash ?? ''));
  await page.fill('#user', user);
  await page.fill('#password', options.password ?? user);
  await page.keyboard.press('Enter');
  await page.locator('#main > *').waitFor();
  return page;
}

// Goes to a view and waits until it is that view that is shown. Within replay every address stays in
// replay, so that is left first.
export async function go(page, server, hash) {
  if (page.url().includes('#/replay/')) {
    await page.getByRole('button', { name: 'Back to live' }).click();
    await page.locator('.replay-bar').waitFor({ state: 'hidden' });
  }
  await page.goto(`${server.url}/#/${hash}`);
  const [name, , shown] = hash.split('/');
  if (name !== 'replay') return page.locator(`#main[data-view="${name || 'now'}"]`).waitFor();
  await page.locator('html[data-past]').waitFor();
  return page.locator(`#main[data-view="${shown || 'now'}"]`).waitFor();
}

// Watches for the page's turning stale; the answer gives when that was, by the page's own clock.
export async function turnsStale(page) {
  await page.evaluate(() => {
    const note = () => { if (document.documentElement.hasAttribute('data-stale')) window.stale_ms ??= Date.now(); };
    new MutationObserver(note).observe(document.documentElement, { attributeFilter: ['data-stale'] });
  });
  return async () => (await page.waitForFunction(() => window.stale_ms)).jsonValue();
}
