import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();
const shots = process.env.SHOTS;

interface Tenant {
  policy: { notices?: { days?: number[]; hour?: number; time_zone?: string; tell_owners?: boolean } };
}

async function shot(page: Page, name: string) {
  if (!shots) return;
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: path.join(shots, `${name}-narrow.png`), fullPage: true });
  await page.setViewportSize({ width: 1440, height: 900 });
}

test('NV11: when and whom to tell of keys that end soon', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/settings');
  const days = page.getByLabel('Days before');
  await days.waitFor();
  await page.getByText(/^It goes to|^Nobody would be told/).waitFor();
  expect(await days.inputValue()).toBe('30, 14, 7, 3, 1');
  await expectAccessible(page);
  await shot(page, 'notices');
  const save = page.getByRole('button', { name: 'Save notices' });
  await days.fill('60, 400');
  await save.click();
  await page.getByText('Enter whole days, from 1 to 365 each').waitFor();
  await days.fill('2 60');
  await page.getByRole('combobox', { name: 'Hour' }).click();
  await page.getByRole('option', { name: '00:00' }).click();
  await page.getByRole('combobox', { name: 'Time zone' }).fill('Lisbon');
  await page.getByRole('option', { name: 'Europe/Lisbon' }).click();
  await page.getByLabel('Tell people of keys that speak for them, too').check({ force: true });
  await save.click();
  await page.getByText('Changes have been saved').waitFor();
  const { body } = await w.api<Tenant>(page, 'GET', `/v1/tenants/${w.server.tenant('PV').id}`);
  expect(body.policy.notices).toEqual({ days: [60, 2], hour: 0, time_zone: 'Europe/Lisbon', tell_owners: true });
});

test('NV11: keys that end within a week are named above the list, and shown by a filter', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/settings/api-keys');
  const soon = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  for (const [name, days] of [
    ['Ends first', 2.5],
    ['Ends later', 6],
  ] as const) {
    await w.api(page, 'POST', '/v1/api-keys', { name, expires_at: soon(days) });
  }
  await page.reload();
  const banner = page.getByRole('note').filter({ hasText: 'within 7 days' });
  await banner.waitFor();
  expect(await banner.innerText()).toMatch(/\d+ keys expire within 7 days, the first, “.+”/);
  await expectAccessible(page);
  await shot(page, 'expiry-banner');
  await banner.getByRole('link', { name: 'Show them' }).click();
  await page.waitForURL(/expiring=7/);
  await banner.waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: 'Ends later' }).waitFor();
  await page.getByRole('button', { name: /expire within 7 days/ }).waitFor();
  await page.getByRole('link', { name: 'Ends first' }).click();
  await page.getByText('Expires in 2 days').or(page.getByText('Expires in 3 days')).first().waitFor();
  await shot(page, 'expires-badge');
});
