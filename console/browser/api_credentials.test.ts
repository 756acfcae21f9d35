import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { focused, traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();

const tenant = () => w.server.tenant('VC');
const user = (username: string) => ({ ...tenant().users.find((u) => u.username === username)!, tenant: tenant().slug });
const admin = () => w.server.user('VC', 'Admin');
const supervisor = () => user('omar.aziz');
const agent = () => w.server.user('VC', 'Agent');
const seeded = (name: string) => tenant().credentials.find((c) => c.name === name)!;
const nav = (page: Page) => page.getByRole('navigation', { name: 'Main' });
const table = (page: Page) => page.getByRole('table', { name: 'API credentials' });

/** Creates credentials in the console, up to the dialogue that shows the secret. */
async function create(page: Page, name: string, scopes: string[]) {
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  for (const scope of scopes) await dialog.getByLabel(scope, { exact: true }).check();
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('dialog', { name: 'API credentials created' }).waitFor();
  return { dialog, secret: await dialog.locator('[data-secret]').innerText() };
}

test('VC1: name and scopes; the licence decides what a supervisor is offered; the secret is shown once', async () => {
  const page = await w.as(supervisor(), '/api-credentials');
  await table(page).getByText('Claims wallboard').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Create API credentials' });
  await dialog.getByLabel('Recent calls: read', { exact: true }).waitFor();
  const offered = await dialog.locator('.apirow .mono').allInnerTexts();
  expect(offered.sort()).toEqual(['contact_center_analytics:read', 'evaluations:read', 'recent_calls:read']);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByText('Enter a name').waitFor();
  await dialog.getByLabel('Name').fill('Claims dashboard');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByText('Choose at least one scope').waitFor();
  await dialog.getByLabel('Recent calls: read', { exact: true }).check();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Create' }).click();

  const created = page.getByRole('dialog', { name: 'API credentials created' });
  await created.getByText('This secret is shown only now.').waitFor();
  await expectAccessible(page);
  const secret = await created.locator('[data-secret]').innerText();
  expect(secret).toMatch(/^clv_ccs_/);
  const example = await created.getByLabel('How to get a token', { exact: true }).innerText();
  expect(example).not.toContain(secret);
  await page.keyboard.press('Escape');
  await created.getByRole('button', { name: 'Copy Client secret' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await created.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByRole('heading', { level: 1, name: /Claims dashboard/ }).waitFor();
  await created.waitFor({ state: 'detached' });
  expect(await traces(page)).not.toContain(secret);
});

test('VC1: an admin is offered all scopes; other licences do not get the page', async () => {
  const page = await w.as(admin(), '/api-credentials');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Surveys: read', { exact: true }).waitFor();
  expect(await dialog.locator('.apirow').count()).toBeGreaterThan(6);

  const felix = await w.as(agent(), '/api-credentials');
  await felix.getByText('You do not have access to this page.').waitFor();
  expect(await nav(felix).getByRole('link', { name: 'API credentials' }).count()).toBe(0);
  expect((await w.api(felix, 'GET', '/v1/client-credentials')).status).toBe(403);
  await expectAccessible(felix);
});

test('VC1: the role alone does not bring the page, the licence decides', async () => {
  const henri = await w.as(w.server.user('VC', 'Super Admin'), '/');
  const { body } = await w.api<{ items: { id: string; name: string }[] }>(henri, 'GET', '/v1/roles');
  const given = await w.api(henri, 'POST', '/v1/assignments', {
    principal_type: 'user',
    principal_id: agent().id,
    role_id: body.items.find((role) => role.name === 'Supervisor')!.id,
    organization_id: agent().organization_id,
  });
  expect(given.status).toBe(201);
  const felix = await w.as(agent(), '/users');
  await nav(felix).getByRole('link', { name: 'Users' }).waitFor();
  expect(await nav(felix).getByRole('link', { name: 'API credentials' }).count()).toBe(0);
});

test('VC2: a supervisor sees only their own, without filter and tabs', async () => {
  const page = await w.as(supervisor(), '/api-credentials');
  await table(page).getByText('Hotline report').waitFor();
  expect(await table(page).getByText('Workforce planning').count()).toBe(0);
  expect(await page.getByRole('tab').count()).toBe(0);
  expect(await page.getByRole('combobox', { name: 'Filter' }).count()).toBe(0);
  // Not even with the address of somebody else's.
  await page.goto(`${w.server.demo.url}/api-credentials/${seeded('Workforce planning').id}`);
  await page.getByText(/There is no such API credential|You do not have access/).waitFor();
});

test('VC2: an admin has tabs and the filter; a row opens the page without the secret', async () => {
  const page = await w.as(admin(), '/api-credentials');
  await table(page).getByText('Claims wallboard').waitFor();
  await page.getByRole('tab', { name: 'Users', selected: true }).waitFor();
  expect(await table(page).getByText('Group reporting', { exact: true }).count()).toBe(0);

  await page.getByRole('combobox', { name: 'Filter' }).click();
  expect(await page.getByRole('option').allInnerTexts()).toEqual(
    expect.arrayContaining(['All Credentials', 'My Credentials']),
  );
  await page.getByRole('option', { name: 'My Credentials' }).click();
  await page.waitForURL(/mine=1/);
  await table(page).getByText('Claims wallboard').waitFor({ state: 'detached' });
  await table(page).getByText('Workforce planning').waitFor();
  await page.goBack();
  await table(page).getByText('Claims wallboard').waitFor();

  await page.getByRole('tab', { name: 'Accounts' }).click();
  await page.waitForURL(/tab=accounts/);
  await table(page).getByText('Group reporting', { exact: true }).waitFor();
  expect(await page.getByRole('combobox', { name: 'Filter' }).count()).toBe(0);
  await expectAccessible(page);
  await table(page).getByRole('row').filter({ hasText: 'Old group' }).waitFor();
  await table(page).getByRole('link', { name: 'Group reporting', exact: true }).dblclick();
  await page.getByRole('heading', { level: 1, name: /Group reporting/ }).waitFor();
  await page.getByText(seeded('Group reporting').client_id!, { exact: true }).waitFor();
  expect(await page.content()).not.toContain(seeded('Group reporting').client_secret);
  await expectAccessible(page);
});

test('VC3: one edits one’s own name and scopes; the account’s are edited by admins only', async () => {
  const page = await w.as(supervisor(), `/api-credentials/${seeded('Hotline report').id}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Recent calls: read', { exact: true }).waitFor();
  await dialog.getByLabel('Name').fill('Hotline figures');
  await dialog.getByLabel('Evaluations: read', { exact: true }).check();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  await page.getByRole('heading', { level: 1, name: /Hotline figures/ }).waitFor();
  await page.getByText('evaluations:read', { exact: true }).waitFor();

  const grace = await w.as(admin(), `/api-credentials/${seeded('Hotline report').id}`);
  await grace.getByText(/Only .* can edit or rotate these/).waitFor();
  expect(await grace.getByRole('button', { name: 'Edit' }).count()).toBe(0);
  await grace.goto(`${w.server.demo.url}/api-credentials/${seeded('Group reporting').id}`);
  await grace.getByRole('button', { name: 'Edit' }).click();
  await grace.getByRole('dialog').getByLabel('Name').fill('Group figures');
  await grace.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await grace.getByRole('heading', { level: 1, name: /Group figures/ }).waitFor();
});

test('credentials are rotated, suspended and resumed', async () => {
  const page = await w.as(supervisor(), `/api-credentials/${seeded('Claims wallboard').id}`);
  await page.getByRole('button', { name: 'Rotate' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Rotate' }).waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog', { name: 'New client secret' }).waitFor();
  await expectAccessible(page);
  const secret = await dialog.locator('[data-secret]').innerText();
  expect(secret).not.toBe(seeded('Claims wallboard').client_secret);
  await dialog.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByRole('button', { name: 'Let it end by itself' }).click();
  await page.getByText('The old secret works until').waitFor();
  expect(await traces(page)).not.toContain(secret);
  await page.getByRole('button', { name: 'Suspend' }).click();
  const suspend = page.getByRole('alertdialog').getByRole('button', { name: 'Suspend API credentials' });
  await suspend.waitFor();
  await expectAccessible(page);
  await suspend.click();
  await page.getByText('Suspended', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Active', { exact: true }).waitFor();
});

test('VC4: the trash icon, then “Delete API credentials”: supervisors their own', async () => {
  const page = await w.as(supervisor(), '/api-credentials');
  await table(page).getByText('Claims wallboard').waitFor();
  const { dialog } = await create(page, 'Thrown away', ['Recent calls: read']);
  await dialog.getByRole('button', { name: 'I have saved it' }).click();
  await page.waitForURL(/\/api-credentials\/crd_/);
  await page.goBack();
  await table(page).getByRole('button', { name: 'Delete Thrown away' }).click();
  const alert = page.getByRole('alertdialog', { name: 'Delete “Thrown away”?' });
  await expectAccessible(page);
  await alert.getByRole('button', { name: 'Cancel' }).click();
  await alert.waitFor({ state: 'detached' });
  await expect.poll(() => focused(page)).toBe('Delete Thrown away');
  await table(page).getByRole('button', { name: 'Delete Thrown away' }).click();
  await alert.getByRole('button', { name: 'Delete API credentials' }).click();
  await page.getByText('API credentials deleted').waitFor();
  await table(page).getByText('Thrown away').waitFor({ state: 'detached' });
  // The row in its place has the focus.
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TR');
});

test('VC4: admins delete any; VC5: then their owner can be deleted', async () => {
  const julia = user('julia.brandt');
  const page = await w.as(admin(), '/api-credentials');
  await table(page).getByText('Sales coaching').waitFor();
  const refused = await w.api<{ detail: string }>(page, 'DELETE', `/v1/users/${julia.id}`);
  expect(refused.status).toBe(409);
  expect(refused.body.detail).toContain('Sales coaching');
  for (const name of ['Sales coaching', 'Paused campaign']) {
    await page.getByRole('button', { name: `Delete ${name}` }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete API credentials' }).click();
    await table(page).getByText(name).waitFor({ state: 'detached' });
  }
  expect((await w.api(page, 'DELETE', `/v1/users/${julia.id}`)).status).toBe(204);
});

test('VC2: without account-level credentials there are no tabs', async () => {
  const page = await w.as(admin(), '/api-credentials?tab=accounts');
  for (const name of ['Group reporting', 'Old group reporting']) {
    await w.api(page, 'DELETE', `/v1/client-credentials/${seeded(name).id}`);
  }
  await page.reload();
  await table(page).getByText('Claims wallboard').waitFor();
  expect(await page.getByRole('tab').count()).toBe(0);
  await page.getByRole('combobox', { name: 'Filter' }).waitFor();
});

test('the pages fit a phone', async () => {
  const page = await w.as(supervisor(), '/api-credentials', { width: 390, height: 844 });
  await page.getByRole('list', { name: 'API credentials' }).getByText('Claims wallboard').click();
  await page.getByRole('heading', { level: 1, name: /Claims wallboard/ }).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(page);
});
