import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { act, focused, keysPage, makeKeys, row, traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();
const mara = () => w.server.user('PV', 'Super Admin');
const rows = (page: Page) => page.locator('table.dt tbody');

/** A promise that is kept when it is told to be. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** Makes keys as the person and shows these alone. */
async function shown(count: number, prefix: string, more: object = {}): Promise<Page> {
  const page = await w.as(mara(), keysPage);
  await makeKeys(page, count, prefix, more);
  await page.goto(`${w.server.demo.url}${keysPage}?q=${prefix}&sort=name`);
  await row(page, `${prefix} 000`).waitFor();
  return page;
}

test('NV9: what ends soon is amber; times are the viewer’s, and exact in UTC where the pointer rests', async () => {
  const page = await w.as(mara(), keysPage);
  const soon = page.locator('table.dt tr:not(.off) .soon').first();
  await soon.waitFor();
  expect(await soon.innerText()).toMatch(/in \d+ (days|h|min)|tomorrow/);
  expect(await soon.evaluate((e) => getComputedStyle(e).color)).toBe('rgb(138, 90, 0)');
  const at = (await soon.locator('time').getAttribute('datetime'))!;
  await soon.locator('time').hover();
  const note = page.getByRole('tooltip').filter({ hasText: 'UTC' });
  await note.waitFor();
  expect(await note.innerText()).toContain(`${at.slice(0, 19).replace('T', ' ')} UTC`);

  // In Lisbon it is an hour later in summer.
  const year = new Date().getFullYear() + 1;
  await makeKeys(page, 1, 'summer', { expires_at: `${year}-07-01T23:30:00Z` });
  await page.goto(`${w.server.demo.url}${keysPage}?q=summer`);
  const time = row(page, 'summer 000')
    .locator('time')
    .filter({ hasText: `2 Jul ${year}` });
  await time.hover();
  await note.waitFor();
  expect(await note.innerText()).toMatch(new RegExp(`00:30:00.* · ${year}-07-01 23:30:00 UTC$`));
});

test('rows on their way are as high as they will be, and no table is empty meanwhile', async () => {
  const page = await w.as(mara(), '/profile');
  const answers = gate();
  await page.route('**/v1/api-keys?*', async (route) => {
    await answers.opened;
    await route.continue();
  });
  await page.goto(w.server.demo.url + keysPage);
  await page.getByRole('status', { name: 'Loading' }).waitFor();
  const height = (box: { height: number } | null) => box!.height;
  const before = height(await page.locator('.srow').first().boundingBox());
  expect(await page.getByRole('table').count()).toBe(0);
  await expectAccessible(page);
  answers.open();
  await row(page, 'Nightly report export').waitFor();
  const after = height(await row(page, 'Nightly report export').boundingBox());
  expect(Math.abs(after - before)).toBeLessThanOrEqual(1);
  expect(await page.getByRole('status', { name: 'Loading' }).count()).toBe(0);
});

test('a server that is away is told of, with the time of what is seen; then all is as before', async () => {
  const page = await shown(1, 'faraway');
  await act(page, 'faraway 000', 'Edit');
  const dialog = page.getByRole('dialog', { name: 'Rename “faraway 000”' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('faraway no more');
  // Nothing can be read any more.
  const reading = /\/(v1\/|healthz)/;
  await page.route(reading, (route) => (route.request().method() === 'GET' ? route.abort() : route.continue()));
  await dialog.getByRole('button', { name: 'Save' }).click();
  const banner = page.getByText(/^Claviger cannot be reached\. You see the state of \d\d:\d\d\. Trying again\.$/);
  await banner.waitFor();
  expect(await rows(page).innerText()).toContain('faraway 000');
  await dialog.waitFor({ state: 'detached' });
  await expectAccessible(page);
  await page.unroute(reading);
  await banner.waitFor({ state: 'detached' });
  await row(page, 'faraway no more').waitFor();
});

test('PV9: a key is shown revoked when the server says so, and not before', async () => {
  const page = await shown(1, 'undecided');
  const failure = {
    status: 500,
    contentType: 'application/problem+json',
    body: JSON.stringify({ status: 500, code: 'internal', title: 'Internal Server Error', detail: 'It was not done.' }),
  };
  await page.route('**/revoke', (route) => route.fulfill(failure), { times: 1 });
  await act(page, 'undecided 000', 'Revoke');
  const dialog = page.getByRole('alertdialog', { name: 'Revoke “undecided 000”?' });
  const yes = dialog.getByRole('button', { name: 'Yes, revoke API key' });
  await yes.click();
  await dialog.getByText('It was not done.').waitFor();
  await expectAccessible(page);
  expect(await page.getByText('API key revoked').count()).toBe(0);

  const answers = gate();
  await page.route('**/revoke', async (route) => {
    await answers.opened;
    await route.continue();
  });
  const asked = page.waitForRequest('**/revoke');
  await yes.click();
  await asked;
  expect(await rows(page).innerText()).toContain('undecided 000');
  expect(await rows(page).innerText()).not.toContain('Revoked');
  expect(await page.getByText('API key revoked').count()).toBe(0);
  answers.open();
  await page.getByText('API key revoked', { exact: true }).waitFor();
  await page.getByText('No keys match “undecided”').waitFor();
});

test('focus returns to what opened a dialogue, or to the row in the place of one that is gone', async () => {
  const page = await shown(3, 'refocused');
  const active = () => focused(page);
  await page.getByRole('button', { name: 'Create API Key' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Create API Key' }).waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(active).toBe('Create API Key');

  await page.getByRole('checkbox', { name: 'Select refocused 000' }).click();
  await page.getByRole('button', { name: 'Delete 1 key' }).click();
  await page.getByRole('alertdialog', { name: 'Delete 1 key?' }).waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(active).toBe('Delete 1 key');

  await act(page, 'refocused 001', 'Rotate');
  await page.getByRole('dialog', { name: 'Rotate “refocused 001”?' }).getByRole('button', { name: 'Cancel' }).click();
  const ofRow = () => page.evaluate(() => document.activeElement?.closest('tr')?.textContent);
  await expect.poll(ofRow).toContain('refocused 001');
  await act(page, 'refocused 001', 'Revoke');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Yes, revoke API key' }).click();
  await page.getByText('API key revoked', { exact: true }).waitFor();
  await expect.poll(ofRow).toContain('refocused 002');
});

test('the shortcuts are shown from the account’s menu, too', async () => {
  const page = await w.as(mara(), '/profile');
  await page.getByRole('button', { name: /^Account:/ }).click();
  await page.getByRole('menuitem', { name: 'Keyboard shortcuts' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('menuitem', { name: 'Keyboard shortcuts' }).click();
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await dialog.getByText('Select all that the filter shows').waitFor();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => focused(page)).toMatch(/^Account:/);
});

test('“Go to…” finds pages, names and IDs; a key that is pasted whole is cut before it is anywhere', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  const key = w.server.tenant('PV').credentials.find((c) => c.name === 'Nightly report export')!;
  const secret = key.key!.split('_').at(-1)!;
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.keyboard.press('Control+k');
  const dialog = page.getByRole('dialog', { name: 'Go to…' });
  const field = dialog.getByRole('combobox', { name: /^Go to/ });
  await field.fill('audit');
  await dialog.getByRole('option', { name: /^Audit log/ }).waitFor();
  await field.fill(key.key!);
  expect(await field.inputValue()).toBe(key.id);
  await dialog.getByRole('option', { name: /^Nightly report export/ }).waitFor();
  await expectAccessible(page);
  expect(await traces(page)).not.toContain(secret);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`/settings/api-keys/${key.id}`));
  expect(requests.join('\n')).not.toContain(secret);
  expect(await traces(page)).not.toContain(secret);
});

test('NV13: a key that is shown hides after a minute, and when the window is left', async () => {
  const key = w.server.tenant('NV').credentials.find((c) => c.name === 'All workstations')!;
  const page = await w.as(w.server.user('NV', 'Super Admin'), `${keysPage}/${key.id}`);
  const show = page.getByRole('button', { name: 'Show api key' });
  await show.click();
  await page.getByText(key.key!, { exact: true }).waitFor();
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
    Reflect.deleteProperty(document, 'visibilityState');
  });
  await page.getByLabel('API key, hidden').waitFor();
  expect(await traces(page)).not.toContain(key.key!);

  await page.clock.install();
  await show.click();
  await page.getByText(key.key!, { exact: true }).waitFor();
  await page.clock.fastForward(59_000);
  expect(await page.getByText(key.key!, { exact: true }).count()).toBe(1);
  await page.clock.fastForward(2_000);
  await page.getByLabel('API key, hidden').waitFor();
  expect(await traces(page)).not.toContain(key.key!);
});

test('NV3: above 20, and not before, the number is to be typed', async () => {
  const page = await shown(21, 'boundary');
  await page.getByText('21 keys', { exact: true }).waitFor();
  await page.getByRole('checkbox', { name: 'Select boundary 000' }).click();
  await page.getByRole('button', { name: 'Select all 21' }).click();
  await page.getByText('All 21 selected, on all pages').waitFor();
  await page.getByRole('button', { name: 'Delete 21 keys' }).click();
  const dialog = page.getByRole('alertdialog');
  await dialog.getByRole('textbox', { name: 'Type 21 to confirm' }).waitFor();
  expect(await dialog.getByRole('button', { name: 'Delete 21 keys' }).isDisabled()).toBe(true);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('checkbox', { name: 'Select boundary 000' }).click();
  await page.getByRole('button', { name: 'Delete 20 keys' }).click();
  await page.getByRole('alertdialog', { name: 'Delete 20 keys?' }).waitFor();
  expect(await dialog.getByRole('textbox').count()).toBe(0);
  expect(await dialog.getByRole('button', { name: 'Delete 20 keys' }).isEnabled()).toBe(true);
});

test('the table by keyboard: back, a range, and nothing selected', async () => {
  const page = await shown(4, 'walked');
  const at = () => page.evaluate(() => document.activeElement?.closest('tr')?.textContent);
  await page.keyboard.press('ArrowDown');
  await expect.poll(at).toContain('walked 000');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await expect.poll(at).toContain('walked 000');
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+Space');
  await page.getByText('3 selected', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('4 keys', { exact: true }).waitFor();
  expect(await page.locator('tr.sel').count()).toBe(0);
});
