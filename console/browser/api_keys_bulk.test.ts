import fs from 'node:fs';
import { expect, test } from 'vitest';
import { act, forgetPassword, givePassword, keysPage, makeKeys, row, traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();
const mara = () => w.server.user('PV', 'Super Admin');
const tom = () => w.server.user('PV', 'Admin');
const pick = (name: string) => ({ name: `Select ${name}` });

test('NV8: a row’s icon is a box to tick; ticked, the row is green; Shift takes a range', async () => {
  const page = await w.as(mara(), keysPage);
  await makeKeys(page, 6, 'ranged');
  await page.goto(`${w.server.demo.url}${keysPage}?q=ranged`);
  await row(page, 'ranged 000').waitFor();
  const first = row(page, 'ranged 000').locator('.pick');
  expect(await first.locator('.box').isVisible()).toBe(false);
  await first.hover();
  expect(await first.locator('.box').isVisible()).toBe(true);
  expect(await first.locator('.ico').isVisible()).toBe(false);
  const color = () =>
    row(page, 'ranged 000')
      .locator('td')
      .nth(3)
      .evaluate((e) => getComputedStyle(e).backgroundColor);
  const before = await color();
  await page.getByRole('checkbox', pick('ranged 000')).click();
  await page.mouse.move(0, 0);
  expect(await row(page, 'ranged 000').getAttribute('aria-selected')).toBe('true');
  // The browser takes note of the pointer's leaving a little later.
  await expect.poll(color).toBe('rgb(227, 245, 234)');
  expect(before).not.toBe('rgb(227, 245, 234)');
  expect(await first.locator('.box svg').isVisible()).toBe(true);
  await page.getByRole('checkbox', pick('ranged 003')).click({ modifiers: ['Shift'] });
  expect(await page.getByRole('toolbar', { name: 'Selection' }).innerText()).toContain('4 selected');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Clear' }).click();
  expect(await page.locator('tr.sel').count()).toBe(0);
});

test('NV3: the trash can appears on selection, and says how many it deletes', async () => {
  const page = await w.as(mara(), keysPage);
  await makeKeys(page, 3, 'thrown');
  await page.goto(`${w.server.demo.url}${keysPage}?q=thrown`);
  await row(page, 'thrown 000').waitFor();
  expect(await page.getByRole('button', { name: /^Delete/ }).count()).toBe(0);
  await page.getByRole('checkbox', pick('thrown 000')).click();
  await page.getByRole('checkbox', pick('thrown 001')).click();
  await page.getByRole('button', { name: 'Delete 2 keys' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Delete 2 keys?' });
  await dialog.waitFor();
  expect((await dialog.innerText()).replaceAll(/\s+/g, ' ')).toContain('User keys 2 Used in the last 7 days 0');
  await expect
    .poll(() => dialog.getByRole('button', { name: 'Cancel' }).evaluate((e) => e === document.activeElement))
    .toBe(true);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Delete 2 keys' }).click();
  await page.getByText('2 keys deleted', { exact: true }).waitFor();
  await expect.poll(() => row(page, 'thrown').count()).toBe(1);
  await row(page, 'thrown 002').waitFor();
});

test('NV3, NV8: all that the filter shows, on all pages, after its number was typed', async () => {
  const page = await w.as(mara(), keysPage);
  const ids = await makeKeys(page, 120, 'many');
  await page.goto(`${w.server.demo.url}${keysPage}?q=many&sort=name`);
  await row(page, 'many 000').waitFor();
  await expect.poll(() => page.locator('tbody tr').count()).toBe(50);
  await page.getByText('1–50 of 120').waitFor();
  await page.getByRole('checkbox', { name: 'Select all keys that match' }).click();
  await page.getByText('All 120 selected, on all pages').waitFor();
  await page.getByRole('button', { name: 'Next page' }).click();
  await page.getByText('51–100 of 120').waitFor();
  await expect.poll(() => page.locator('tr.sel').count()).toBe(50);
  // Another filter is another list: nothing is selected.
  await page.getByRole('searchbox').fill('many 00');
  await page.getByText('10 keys').waitFor();
  expect(await page.locator('tr.sel').count()).toBe(0);
  await page.getByRole('searchbox').fill('many');
  await page.getByText('1–50 of 120').waitFor();
  await row(page, 'many 000').focus();
  await page.keyboard.press('Control+a');
  await page.getByText('All 120 selected, on all pages').waitFor();
  await page.keyboard.press('Delete');
  const dialog = page.getByRole('alertdialog', { name: 'Delete 120 keys?' });
  await dialog.waitFor();
  expect(await dialog.innerText()).toContain('All keys that match your filter, on all pages.');
  expect(await dialog.innerText()).toContain('Northwind Voice, all organizations, “many”');
  const typed = dialog.getByRole('textbox', { name: 'Type 120 to confirm' });
  await expect.poll(() => typed.evaluate((e) => e === document.activeElement)).toBe(true);
  const button = dialog.getByRole('button', { name: 'Delete 120 keys' });
  expect(await button.isDisabled()).toBe(true);
  await typed.fill('12');
  expect(await button.isDisabled()).toBe(true);
  await expectAccessible(page);
  // A key that is made now was not seen, and stays.
  await w.api(page, 'POST', '/v1/api-keys', { name: 'another of the many' });
  await typed.fill('120');
  await button.click();
  await page.getByText('120 keys deleted', { exact: true }).waitFor();
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
  await row(page, 'another of the many').waitFor();
  const gone = await w.api<{ state: string; deleted_at?: string }>(page, 'GET', `/v1/api-keys/${ids[119]}`);
  expect([gone.status, gone.body?.state]).toEqual([200, 'revoked']);
});

test('NV3: progress is shown, also to who comes back, and then the true result', async () => {
  // Somebody who may delete their own keys, and not others'.
  const boss = await w.as(mara(), '/');
  const roles = await w.api<{ items: { id: string; name: string; permissions: string[] }[] }>(boss, 'GET', '/v1/roles');
  const role = roles.body.items.find((r) => r.name === 'Admin')!;
  await w.api(boss, 'PATCH', `/v1/roles/${role.id}`, {
    permissions: [...role.permissions, 'claviger.api_keys:generate'],
  });
  const page = await w.as(tom(), keysPage);
  await makeKeys(page, 4, 'mixed');
  const others = w.server
    .tenant('PV')
    .credentials.filter((c) => c.owner !== tom().id && ['active', 'suspended'].includes(c.state))
    .map((c) => c.name);
  const shown = async () => (await page.locator('tbody tr a.keyname').allInnerTexts()).map((t) => t.trim());
  await page.reload();
  await row(page, 'mixed 000').waitFor();
  const foreign = (await shown()).filter((name) => others.includes(name)).slice(0, 3);
  expect(foreign.length).toBeGreaterThan(0);
  for (const name of ['mixed 000', 'mixed 001', 'mixed 002', ...foreign])
    await page.getByRole('checkbox', pick(name)).click();
  const total = 3 + foreign.length;

  // How far it is, as the server would tell of a long one.
  let done = false;
  await page.route('**/v1/operations/*', async (route) => {
    const response = await route.fetch();
    const body = (await response.json()) as Record<string, unknown>;
    if (done) await route.fulfill({ response });
    else
      await route.fulfill({ response, json: { ...body, state: 'running', total: 1284, done: 412, failed_total: 0 } });
  });
  await page.getByRole('button', { name: `Delete ${total} keys` }).click();
  await page
    .getByRole('alertdialog')
    .getByRole('button', { name: `Delete ${total} keys` })
    .click();
  await page.getByText('412 of 1,284 deleted').waitFor();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
  await page.getByRole('link', { name: 'API keys' }).click();
  await page.getByText('412 of 1,284 deleted').waitFor();
  await page.reload();
  await page.getByText('412 of 1,284 deleted').waitFor();
  done = true;
  const were = foreign.length === 1 ? '1 was not.' : `${foreign.length} were not.`;
  await page.getByText(`3 of ${total} keys deleted. ${were}`).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Show them' }).click();
  const dialog = page.getByRole('dialog', { name: /not deleted$/ });
  for (const name of foreign) await dialog.getByRole('link', { name }).waitFor();
  expect(await dialog.getByRole('row').count()).toBe(1 + foreign.length);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Dismiss the result' }).click();
  await row(page, 'mixed 003').waitFor();
  expect(await row(page, 'mixed 000').count()).toBe(0);
});

test('NV3: what changed since it was counted is not deleted', async () => {
  const page = await w.as(mara(), keysPage);
  const ids = await makeKeys(page, 3, 'moving');
  await page.goto(`${w.server.demo.url}${keysPage}?q=moving`);
  await row(page, 'moving 000').waitFor();
  await page.getByRole('checkbox', { name: 'Select all keys that match' }).click();
  await page.getByRole('button', { name: 'Delete 3 keys' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Delete 3 keys?' });
  await dialog.waitFor();
  await w.api(page, 'PATCH', `/v1/api-keys/${ids[0]}`, { name: 'elsewhere' });
  await dialog.getByRole('button', { name: 'Delete 3 keys' }).click();
  await dialog.getByText('Nothing was deleted.').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect((await w.api<{ state: string }>(page, 'GET', `/v1/api-keys/${ids[1]}`)).body.state).toBe('active');
});

test('NV4: the download is what is shown, whole keys included, safe in a spreadsheet', async () => {
  const admin = w.server.user('NV', 'Super Admin');
  const page = await w.as(admin, keysPage);
  await row(page, 'All workstations').waitFor();
  await makeKeys(page, 1, '=HYPERLINK("x")');
  await page.reload();
  await page.getByRole('searchbox').fill('workstations');
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
  // The password was given long ago.
  await forgetPassword(page, '**/v1/api-keys/export?*');
  await page.getByRole('button', { name: 'Download' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), givePassword(page, admin.password)]);
  expect(download.suggestedFilename()).toMatch(/^api-keys-\d{4}-\d\d-\d\d\.csv$/);
  const text = fs.readFileSync(await download.path(), 'utf8');
  const lines = text.trimEnd().split('\r\n');
  expect(lines[0]).toMatch(/^"Name","Organization","Expiration date","Created by","Key"/);
  expect(lines.length).toBe(2);
  const key = w.server.tenant('NV').credentials.find((c) => c.name === 'All workstations')!;
  expect(lines[1]).toContain(`"${key.key}"`);
  await page.getByRole('searchbox').fill('hyperlink');
  await expect
    .poll(() =>
      page
        .locator('tbody tr')
        .innerText()
        .catch(() => ''),
    )
    .toContain('HYPERLINK');
  const [second] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  expect(fs.readFileSync(await second.path(), 'utf8')).toContain(`"'=HYPERLINK(""x"") 000"`);
});

test('NV4: a download that breaks off is told, and nothing is saved', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  const downloads: unknown[] = [];
  page.on('download', (d) => downloads.push(d));
  await page.route('**/v1/api-keys/export?*', (route) =>
    route.fulfill({
      status: 200,
      headers: { 'Claviger-Total': '1284', 'Content-Type': 'text/csv' },
      body: '"Name"\r\n"a"\r\n"b"\r\n',
    }),
  );
  await page.getByRole('button', { name: 'Download' }).click();
  await page.getByText('The download broke off after 2 of 1,284 keys. Nothing was saved.').waitFor();
  await expectAccessible(page);
  expect(downloads).toEqual([]);
  await page.unroute('**/v1/api-keys/export?*');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Try again' }).click(),
  ]);
  expect(fs.readFileSync(await download.path(), 'utf8')).toContain('Nightly report export');
});

test('NV14: an organization key’s actions are Edit, Copy key to clipboard, Delete', async () => {
  const admin = w.server.user('NV', 'Super Admin');
  const page = await w.as(admin, keysPage);
  const key = w.server.tenant('NV').credentials.find((c) => c.name === 'All workstations')!;
  await row(page, key.name)
    .getByRole('button', { name: /Actions/ })
    .click();
  expect(await page.getByRole('menuitem').allInnerTexts()).toEqual(['Edit', 'Copy key to clipboard', 'Delete']);
  await page.keyboard.press('Escape');
  await forgetPassword(page, '**/reveal');
  await act(page, key.name, 'Copy key to clipboard');
  await givePassword(page, admin.password);
  await page.getByText('Copied', { exact: true }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key.key);
  expect(await traces(page)).not.toContain(key.key!);
  const log = await w.api<{ items: { action: string }[] }>(page, 'GET', '/v1/audit-events?limit=20&order=desc');
  expect(log.body.items.map((e) => e.action)).toContain('organization_key.reveal');

  const orgs = w.server.tenant('NV').organizations;
  await makeKeys(page, 1, 'short lived', { kind: 'organization_key', organization_id: orgs[1]!.id });
  await page.reload();
  await act(page, 'short lived 000', 'Delete');
  const dialog = page.getByRole('alertdialog', { name: 'Delete “short lived 000”?' });
  await dialog.getByText('As soon as you confirm, calls with this key fail. This cannot be undone.').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Delete API key' }).click();
  await page.getByText('API key deleted', { exact: true }).waitFor();
  await expect.poll(() => row(page, 'short lived 000').count()).toBe(0);
});
