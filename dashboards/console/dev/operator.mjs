// npm run operator: as somebody who has never seen it. Starts `payops demo` (PAYOPS_BINARY), takes
// address and password from what it prints, and goes, in Chromium and by what the page says alone,
// to an action that has been approved. Prints how long each step took.
import { spawn } from 'node:child_process';
import { openBrowser, openPage } from './browser.mjs';
import { BINARY, ROOT } from './payops.mjs';
import { until } from './until.mjs';

const demo = spawn(BINARY, ['demo', ...process.argv.slice(2)], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
const began = performance.now();
let text = '';
demo.stderr.on('data', (bytes) => { text += bytes; });
const step = (what) => console.log(`${((performance.now() - began) / 1000).toFixed(1)} s: ${what}`);
let browser;
try {
  const [, url, user, password] = await until('the console’s address', 60_000, () => /Console: (\S+)\s+user (\S+), password (\S+)/.exec(text));
  step('the address is printed');
  browser = await openBrowser();
  const page = await openPage(browser, { url }, user, { password });
  page.setDefaultTimeout(120_000);
  await page.locator('html:not([data-stale]) .card').first().waitFor();
  step('signed in; an incident has a card');
  await page.getByRole('link', { name: /^Approvals/ }).click();
  await page.getByRole('button', { name: 'Propose an intervention' }).and(page.locator(':enabled')).click();
  await page.getByLabel('What').selectOption({ label: 'Fewer retries' });
  await page.getByLabel('Issuer').selectOption({ index: 1 });
  await page.getByRole('button', { name: 'Propose', exact: true }).click();
  await page.locator('.proposal[data-looked]').waitFor();
  step('proposed, priced, and read');
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.locator('.toast').getByText(/Done: granted/).waitFor();
  step('approved');
  const outcome = await page.locator('.answered li').first().textContent();
  step(outcome);
} catch (error) {
  console.error(error, text);
  process.exitCode = 1;
} finally {
  await browser?.close();
  demo.kill('SIGINT');
}
