import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

interface Tenant {
  name: string;
  policy: { max_lifetime_seconds?: Record<string, number>; legacy_account_keys?: boolean };
}

test('B7: the company’s rules for credentials', async () => {
  const tenant = w.server.tenant('VX');
  const page = await w.as(w.server.user('VX', 'Super Admin'), '/settings');
  const longest = page.getByLabel('User key: longest life in days');
  await longest.waitFor();
  await expectAccessible(page);
  await longest.fill('90');
  await page.getByLabel('User key: usual life in days').fill('91');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await page.getByText('Choose 90 days or less').waitFor();
  await page.getByLabel('User key: usual life in days').fill('30');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await page.getByText('Changes have been saved').waitFor();
  const now = await w.api<Tenant>(page, 'GET', `/v1/tenants/${tenant.id}`);
  expect(now.body.policy.max_lifetime_seconds?.user_key).toBe(90 * 86_400);
  await page.reload();
  expect(await longest.inputValue()).toBe('90');
});

test('VX6: account API keys are switched here, marked deprecated', async () => {
  const tenant = w.server.tenant('VX');
  const page = await w.as(w.server.user('VX', 'Super Admin'), '/settings');
  const take = page.getByRole('switch', { name: /Take account API keys/ });
  await take.waitFor();
  expect(await take.isChecked()).toBe(true);
  await page.getByText('Account API keys are deprecated. Use a service account for anything new.').waitFor();
  await page.getByText('Deprecated', { exact: true }).waitFor();
  await take.click();
  await page.getByRole('button', { name: 'Save rules' }).click();
  await page.getByText('Changes have been saved').waitFor();
  const now = await w.api<Tenant>(page, 'GET', `/v1/tenants/${tenant.id}`);
  expect(now.body.policy.legacy_account_keys ?? false).toBe(false);
});

test('the company’s name', async () => {
  const page = await w.as(w.server.user('VC', 'Super Admin'), '/settings');
  await page.getByLabel('Name', { exact: true }).fill('');
  await page.getByRole('button', { name: 'Save name' }).click();
  await page.getByText('Enter a name').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Alder Assurance');
  await page.getByRole('button', { name: 'Save name' }).click();
  await page.getByText('Changes have been saved').waitFor();
  await page.getByRole('button', { name: 'Organization: Alder Assurance, All organizations' }).waitFor();
});

test('without the permission there are no settings, and the API refuses', async () => {
  const page = await w.as(w.server.user('PV', 'Agent'), '/settings');
  await page.getByText('A Super Admin can give you “Account settings”.').waitFor();
  await expectAccessible(page);
  expect(await page.getByRole('link', { name: 'Settings', exact: true }).count()).toBe(0);
  expect((await w.api(page, 'PATCH', `/v1/tenants/${w.server.tenant('PV').id}`, { name: 'Mine' })).status).toBe(403);
});
