import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

test('B5: calls of one credential and of all, by hour and day, refused by reason', { timeout: 150_000 }, async () => {
  const admin = w.server.user('PV', 'Super Admin');
  const page = await w.as(admin, '/usage');
  const made = await w.api<{ id: string; key: string }>(page, 'POST', '/v1/api-keys', { name: 'Counted here' });
  for (let i = 0; i < 5; i++) expect((await w.verify({ credential: made.body.key })).valid).toBe(true);
  await w.api(page, 'POST', `/v1/api-keys/${made.body.id}/suspend`);
  for (let i = 0; i < 3; i++) expect((await w.verify({ credential: made.body.key })).valid).toBe(false);
  // What was counted is written after a while, a minute at most.
  await expect
    .poll(
      async () =>
        (await w.api<{ items: object[] }>(page, 'GET', `/v1/usage?credential_id=${made.body.id}`)).body.items.length,
      { timeout: 90_000, interval: 2_000 },
    )
    .toBeGreaterThan(0);

  await page.goto(`${w.server.demo.url}/usage?credential=${made.body.id}`);
  await page.getByRole('heading', { level: 1, name: /Counted here/ }).waitFor();
  await page.getByLabel('5 calls let through, 3 refused', { exact: true }).waitFor();
  await page.getByRole('row', { name: /^Suspended 3 100 %/ }).waitFor();
  await page.getByRole('img', { name: /^5 calls let through, 3 refused/ }).waitFor();
  await page.locator('path.recharts-rectangle').first().waitFor();
  await expectAccessible(page);
  // The numbers of the chart, for those who can't see it.
  await page.getByText('Table', { exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('view') === 'table');
  const table = page.getByRole('region', { name: 'Calls by period' });
  expect(await table.getByRole('row').count()).toBe(25);
  expect(await table.innerText()).toMatch(/\t5\t3/);
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Open the credential' }).click();
  await page.waitForURL(/\/settings\/api-keys\/crd_/);

  await page.goto(`${w.server.demo.url}/usage?span=30d`);
  const most = page.getByRole('region', { name: 'Used most' });
  await most.getByRole('link', { name: 'Counted here', exact: true }).waitFor();
  await expectAccessible(page);
  await most.getByRole('link', { name: 'Counted here', exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('credential') === made.body.id);
  await page.getByText('Days are in UTC.').waitFor();
});

test('B5: without the permission there is no page, and the API refuses', async () => {
  const page = await w.as(w.server.user('PV', 'Agent'), '/usage');
  await page.getByText('You do not have access to this page.').waitFor();
  expect(await page.getByRole('link', { name: 'Usage' }).count()).toBe(0);
  expect((await w.api(page, 'GET', '/v1/usage')).status).toBe(403);
  await page.goto(`${w.server.demo.url}/usage?credential=crd_000000000000`);
  await page.getByText('There is no such credential, or you may not see it.').waitFor();
  await expectAccessible(page);
});

test('usage fits a phone', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/usage', { width: 390, height: 844 });
  await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor();
  await expectAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
