import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();
const shots = process.env.SHOTS;

interface Tenant {
  name: string;
  policy: {
    max_lifetime_seconds?: Record<string, number>;
    may_create?: Record<string, string>;
    networks?: string[];
    show_once?: string[];
    name_pattern?: string;
    name_hint?: string;
    suspend_idle_days?: number;
    token_lifetime_seconds?: number;
    legacy_account_keys?: boolean;
    administrators_sign_in_automatically?: boolean;
  };
}

interface Key {
  id: string;
  networks: string[];
  recoverable: boolean;
  expires_at?: string;
}

async function shot(page: Page, name: string) {
  if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`) });
}

const review = (page: Page) => page.getByRole('button', { name: 'Review and save' }).click();
const dialog = (page: Page) => page.getByRole('dialog', { name: 'Save the policy' });

async function save(page: Page) {
  await review(page);
  await dialog(page).getByRole('button', { name: 'Save policy' }).click();
  await page.getByText('Changes have been saved').waitFor();
  await dialog(page).waitFor({ state: 'hidden' });
}

async function tenant(page: Page, model: 'PV' | 'NV' | 'VX' | 'EE' | 'VC'): Promise<Tenant> {
  return (await w.api<Tenant>(page, 'GET', `/v1/tenants/${w.server.tenant(model).id}`)).body;
}

test('B7: the policy is a page of its own, saved for new credentials', async () => {
  const page = await w.as(w.server.user('VX', 'Super Admin'), '/settings');
  await page.getByRole('link', { name: 'Open policy' }).click();
  const longest = page.getByLabel('User key: longest life in days');
  await longest.waitFor();
  await expectAccessible(page);
  await shot(page, 'policy');
  await longest.fill('90');
  await page.getByLabel('User key: usual life in days').fill('91');
  await page.getByLabel('Suspend after idle days').fill('ninety');
  await review(page);
  await page.getByText('Choose 90 days or less').waitFor();
  await page.getByText('Enter whole days, 3650 at most').waitFor();
  await page.getByLabel('User key: usual life in days').fill('30');
  await page.getByLabel('Suspend after idle days').fill('90');
  await page.getByLabel('Networks').fill('192.0.2.0/24\nnot a network');
  await review(page);
  await page.getByText(/Write an address or a network in CIDR form/).waitFor();
  await page.getByLabel('Networks').fill('192.0.2.0/24\n2001:db8::/32');
  await page.getByLabel('Pattern').fill('(prod|test)-[a-z]+');
  await page.getByLabel('Hint').fill('Begin with prod- or test-.');
  await page.getByRole('combobox', { name: 'Account API key: who may make one' }).click();
  await page.getByRole('option', { name: 'Nobody' }).click();
  await save(page);
  expect((await tenant(page, 'VX')).policy).toMatchObject({
    max_lifetime_seconds: { user_key: 90 * 86_400 },
    may_create: { account_key: 'nobody' },
    networks: ['192.0.2.0/24', '2001:db8::/32'],
    name_pattern: '(prod|test)-[a-z]+',
    name_hint: 'Begin with prod- or test-.',
    suspend_idle_days: 90,
  });
  await page.reload();
  expect(await longest.inputValue()).toBe('90');
  expect(await page.getByLabel('Networks').inputValue()).toBe('192.0.2.0/24\n2001:db8::/32');
});

test('B7: before it is saved one sees what it affects, and applies it to all', async () => {
  const page = await w.as(w.server.user('NV', 'Super Admin'), '/settings/policy');
  const key = w.server.tenant('NV').credentials.find((c) => c.kind === 'organization_key' && c.state === 'active')!;
  await page.getByRole('switch', { name: /Show organization keys only once/ }).click();
  await page.getByLabel('Organization key: longest life in days').fill('10');
  await page.getByLabel('Networks').fill('10.0.0.0/8');
  await review(page);
  const box = dialog(page);
  await box.getByText(/organization keys? ends? earlier/).waitFor();
  await box.getByText(/can no longer be shown/).waitFor();
  await box.getByText(/works? from fewer networks/).waitFor();
  await expectAccessible(page);
  await box.getByRole('button', { name: /^Show: .*earlier/ }).click();
  await box.getByText(key.name, { exact: true }).first().waitFor();
  await shot(page, 'policy-preview');
  const before = (await w.api<Key>(page, 'GET', `/v1/api-keys/${key.id}`)).body;
  expect(before.recoverable).toBe(true);

  await box.getByRole('radio', { name: /All credentials/ }).check();
  await box.getByText('Stored copies of secrets are destroyed. This cannot be undone.').waitFor();
  await shot(page, 'policy-preview-all');
  await box.getByRole('button', { name: 'Save and apply to all' }).click();
  await page.getByText('The policy is applied to all credentials').waitFor();
  const after = (await w.api<Key>(page, 'GET', `/v1/api-keys/${key.id}`)).body;
  expect(after.recoverable).toBe(false);
  expect(after.networks).toEqual(['10.0.0.0/8']);
  expect(new Date(after.expires_at!).getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000);
  expect(page.url()).not.toContain('operation=');

  // Nothing is left to do, and whoever makes a key meets the rule.
  await page.getByRole('button', { name: 'Review and save' }).click();
  await box.getByText(/None of the \d+ existing credentials is affected\./).waitFor();
  await page.keyboard.press('Escape');
  await box.waitFor({ state: 'hidden' });
});

test('B7: the page on a phone, and in the dark', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/settings/policy', { width: 390, height: 844 });
  await page.getByLabel('User key: longest life in days').waitFor();
  await expectAccessible(page);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
  await shot(page, 'policy-phone');
  await page.getByLabel('User key: longest life in days').fill('30');
  await review(page);
  await dialog(page).waitFor();
  await expectAccessible(page);
  await shot(page, 'policy-preview-phone');
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await expect.poll(() => page.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark');
  await expectAccessible(page);
  await shot(page, 'policy-preview-phone-dark');
});

test('B7: what the operators set is told, and cannot be loosened', async () => {
  const { system_admin } = w.server.demo;
  const operators = await w.as(system_admin, '/');
  const id = w.server.tenant('EE').id;
  const set = await w.api(operators, 'PUT', `/v1/tenants/${id}/policy`, { policy: { suspend_idle_days: 60 } });
  expect(set.status).toBe(200);
  const page = await w.as(w.server.user('EE', 'Super Admin'), '/settings/policy');
  await page.getByText('The operators allow 60 at most.', { exact: false }).waitFor();
  await page.getByLabel('Suspend after idle days').fill('61');
  await review(page);
  await page.getByText(/The operators of this installation set stricter rules than these: suspend_idle_days/).waitFor();
  await expectAccessible(page);
  await page.getByLabel('Suspend after idle days').fill('59');
  await save(page);
});

test('NV2: how long tokens last, and whether administrators sign in automatically', async () => {
  const page = await w.as(w.server.user('VC', 'Super Admin'), '/settings/policy');
  const life = page.getByLabel('Token lifetime, minutes');
  await life.fill('121');
  await review(page);
  await page.getByText('Enter 1 to 120 minutes').waitFor();
  await life.fill('5');
  await page.getByRole('switch', { name: /Sign administrators in automatically/ }).click();
  await save(page);
  expect((await tenant(page, 'VC')).policy).toMatchObject({
    token_lifetime_seconds: 300,
    administrators_sign_in_automatically: true,
  });
});

test('VX6: account API keys are switched here, marked deprecated', async () => {
  const page = await w.as(w.server.user('VX', 'Super Admin'), '/settings/policy');
  const take = page.getByRole('switch', { name: /Take account API keys/ });
  await take.waitFor();
  expect(await take.isChecked()).toBe(true);
  await page.getByText('Account API keys are deprecated. Use a service account for anything new.').waitFor();
  await page.getByText('Deprecated', { exact: true }).waitFor();
  await take.click();
  await save(page);
  expect((await tenant(page, 'VX')).policy.legacy_account_keys ?? false).toBe(false);
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
  for (const at of ['/settings', '/settings/policy']) {
    const page = await w.as(w.server.user('PV', 'Agent'), at);
    await page.getByText('A Super Admin can give you “Account settings”.').waitFor();
    await expectAccessible(page);
    const navigation = page.getByRole('navigation');
    expect(await navigation.getByRole('link', { name: 'Settings', exact: true }).count()).toBe(0);
    const id = w.server.tenant('PV').id;
    expect((await w.api(page, 'PATCH', `/v1/tenants/${id}`, { name: 'Mine' })).status).toBe(403);
    expect((await w.api(page, 'PUT', `/v1/tenants/${id}/policy`, { policy: {} })).status).toBe(403);
  }
});
