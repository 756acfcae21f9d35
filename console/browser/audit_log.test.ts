import fs from 'node:fs';
import { expect, test } from 'vitest';
import { column } from './keys';
import { expectAccessible, world } from './world';

const w = world();

test('B6: who did what, in plain words, with before and after', async () => {
  const admin = w.server.user('PV', 'Super Admin');
  const page = await w.as(admin, '/audit-log');
  const made = await w.api<{ id: string }>(page, 'POST', '/v1/api-keys', { name: 'Audited once' });
  expect(made.status).toBe(201);
  await w.api(page, 'PATCH', `/v1/api-keys/${made.body.id}`, { name: 'Audited twice' });
  await page.reload();
  const row = page.getByRole('row').filter({ hasText: 'Renamed a user’s API key' }).first();
  await row.waitFor();
  expect(await row.innerText()).toContain(admin.username);
  expect(await row.innerText()).toContain('127.0.0.1');
  await expectAccessible(page);
  await row.getByRole('button', { name: 'Renamed a user’s API key' }).click();
  const panel = page.getByRole('dialog');
  const change = panel.getByRole('row').filter({ hasText: 'Name' });
  expect(await change.getByRole('cell').allInnerTexts()).toEqual(['Audited once', 'Audited twice']);
  await expectAccessible(page);
  // It has an address, also when the event is on another page or filtered out.
  const open = new URL(page.url()).searchParams.get('open')!;
  expect(Number(open)).toBeGreaterThan(0);
  await page.goto(`${w.server.demo.url}/audit-log?action=session.begin&open=${open}`);
  await page.getByRole('dialog').getByRole('cell', { name: 'Audited twice' }).waitFor();
  await page.keyboard.press('Escape');
  await page.waitForURL((url) => !url.searchParams.has('open'));
  await page.getByRole('row').filter({ hasText: 'Signed in' }).first().waitFor();
});

test('B6: filters by who, what, credential and time stand in the URL', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/audit-log');
  const made = await w.api<{ id: string; key: string }>(page, 'POST', '/v1/api-keys', { name: 'Filtered by' });
  await page.reload();
  // A whole key that is pasted is cut to its ID before it gets anywhere.
  await page.getByLabel('Credential, or ID of what was changed').fill(made.body.key);
  await page.waitForURL((url) => url.searchParams.get('id') === made.body.id);
  await page.getByText('1 event', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Filtered by' }).waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).first().click();
  await page.waitForURL((url) => !url.searchParams.has('id'));

  await page.getByRole('combobox', { name: 'What' }).click();
  await page.getByRole('option', { name: 'Revoked a user’s API key' }).click();
  await page.waitForURL((url) => url.searchParams.get('action') === 'api_key.revoke');
  await page.getByRole('row').filter({ hasText: 'Revoked a user’s API key' }).first().waitFor();
  await expect.poll(() => page.getByRole('row').filter({ hasText: 'Signed in' }).count()).toBe(0);
  await page.goBack();
  await page.getByRole('row').filter({ hasText: 'Signed in' }).first().waitFor();

  await page.getByLabel('From', { exact: true }).fill('2031-01-01');
  await page.getByText('No events match these filters.').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Clear filters' }).first().click();
  await page.getByRole('searchbox', { name: 'Search who did it' }).fill('lindt');
  await page.waitForURL((url) => url.searchParams.get('q') === 'lindt');
  await page.getByRole('row').filter({ hasText: 'Signed in' }).first().waitFor();
  // What Claviger did by itself is not theirs.
  await expect.poll(() => page.getByRole('row').filter({ hasText: 'Claviger' }).count()).toBe(0);
});

test('B6: the organization menu narrows the log to an organization and what is below', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/audit-log');
  const berlin = w.server.tenant('PV').organizations.find((o) => o.name === 'Berlin')!.id;
  const made = await w.api(page, 'POST', '/v1/users', { organization_id: berlin, username: 'log.reader' });
  expect(made.status).toBe(201);
  await page.getByRole('button', { name: /^Organization:/ }).click();
  await page.getByRole('option', { name: 'Berlin', exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('org') === berlin);
  await page.getByRole('row').filter({ hasText: 'log.reader' }).first().waitFor();
  const elsewhere = async () =>
    (await column(page, 'Organization')).filter((name) => name !== 'Berlin' && name !== 'Berlin Night Shift');
  await expect.poll(elsewhere).toEqual([]);
});

test('B6: the checkpoint is checked, and the true result is told', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/audit-log');
  await page.getByRole('button', { name: 'Check now' }).click();
  await page.getByText(/^All [\d,]+ events (are as written|fit together)/).waitFor();
  await expectAccessible(page);
  // What the server finds wrong is shown as such.
  await page.route('**/v1/audit-checkpoints/check*', (route) =>
    route.fulfill({
      json: { ok: false, broken_at: 7, problem: 'Its hash is another.', sequence: 1, events: 9, sealed_events: 9 },
    }),
  );
  await page.getByRole('button', { name: 'Check now' }).click();
  await page.getByRole('alert').filter({ hasText: 'Event 7 is the first that is wrong or missing.' }).waitFor();
});

test('B6: what the filter finds is downloaded as CSV', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/audit-log?action=user.create');
  const count = await page.getByText(/^\d+ events$/).innerText();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^audit-log.*\.csv$/);
  const lines = fs
    .readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n');
  expect(lines).toHaveLength(Number(count.split(' ')[0]) + 1);
});

test('B6: without the permission there is no page, and the API refuses', async () => {
  const page = await w.as(w.server.user('PV', 'Agent'), '/audit-log');
  await page.getByText('You do not have access to this page.').waitFor();
  await expectAccessible(page);
  expect(await page.getByRole('link', { name: 'Audit log' }).count()).toBe(0);
  expect((await w.api(page, 'GET', '/v1/audit-events')).status).toBe(403);
});

test('the audit log fits a phone', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/audit-log', { width: 390, height: 844 });
  await page
    .getByRole('button', { name: /Signed in/ })
    .first()
    .waitFor();
  await expectAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
