import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

const pages = path.resolve(import.meta.dirname, '../src/pages');

/** What the question marks of all pages lead to, as their sources say. */
function helpOfPages(): string[] {
  const found = new Set<string>();
  for (const file of fs.readdirSync(pages, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.tsx')) continue;
    for (const match of fs.readFileSync(path.join(pages, file), 'utf8').matchAll(/\bhelp="([^"]+)"/g)) {
      found.add(match[1]!);
    }
  }
  return [...found].sort();
}

test('NV5: the question mark opens the help of that very page', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/audit-log');
  const [help] = await Promise.all([
    page.context().waitForEvent('page'),
    page.getByRole('link', { name: 'Help for this page' }).click(),
  ]);
  await help.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor();
  expect(new URL(help.url()).pathname).toBe('/help/console/audit-log');
  expect(await help.title()).toBe('Audit log · Documentation · Claviger');
  await help.getByRole('link', { name: 'Back to the console' }).waitFor();
  await help.close();
});

test('NV5: every page of the console has its help, for everybody', async () => {
  const names = helpOfPages();
  expect(names.length).toBeGreaterThan(12);
  const page = await w.open('/help');
  for (const name of names) {
    await page.goto(`${w.server.demo.url}/help/console/${name}`);
    await page.locator('article h1').waitFor();
    expect(await page.title()).toMatch(/ · Documentation · Claviger$/);
  }
});

test('NV5: the documentation’s home, its pages and links', async () => {
  const page = await w.open('/help');
  await page.locator('article h1').waitFor();
  await expectAccessible(page);
  const contents = page.getByRole('navigation', { name: 'Documentation' });
  await contents.getByRole('link', { name: 'Keys of users' }).click();
  await page.waitForURL(/\/help\/guides\/user-keys$/);
  await page.getByRole('heading', { level: 1, name: 'Keys of users' }).waitFor();
  // A link between files of the documentation leads to a page of the help.
  await page.locator('article').getByRole('link', { name: 'nginx', exact: true }).first().click();
  await page.waitForURL(/\/help\/nginx$/);
  await page.locator('article h1').waitFor();
  await expectAccessible(page);
  await page.getByRole('navigation', { name: 'On this page' }).getByRole('link').first().click();
  expect(new URL(page.url()).hash).not.toBe('');
});

test('the documentation can be searched by keyboard', async () => {
  const page = await w.open('/help');
  await page.locator('article h1').waitFor();
  await page.keyboard.press('/');
  const search = page.getByRole('combobox', { name: 'Search the documentation' });
  await search.pressSequentially('scanning formula organization download');
  await search.fill('rotate a key');
  await page.getByRole('option').first().waitFor();
  await expectAccessible(page);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname !== '/help');
  await page.locator('article h1').waitFor();
  await search.fill('zzzzqqqq');
  await page.getByText('No page has these words.').waitFor();
});

test('an unknown page of the documentation says so', async () => {
  const page = await w.open('/help/console/nothing-like-it');
  await page.getByText('The documentation has no page at this address.').waitFor();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Go to the contents' }).click();
  await page.locator('article h1').waitFor();
});

test('the API reference is made from this server’s own description', async () => {
  const page = await w.open('/reference');
  await page.locator('.opblock-tag').first().waitFor();
  await page.locator('#operations-tag-API_keys').click();
  await page.locator('.opblock-summary').first().waitFor();
  await page.locator('.opblock-summary').first().click();
  await page.getByText('Responses').first().waitFor();
  expect(await page.getByRole('button', { name: 'Try it out' }).count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Authorize' }).count()).toBe(0);
  expect(await page.title()).toBe('API reference · Claviger');
});
