import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

test('PV4: an operator sees who asked for API access, and gives a plan that includes it', async () => {
  const tenant = w.server.tenant('PV');
  const page = await w.as(w.server.demo.system_admin, `/tenants/${tenant.id}`);
  await page.getByRole('combobox', { name: 'Plan' }).click();
  await page.getByRole('option', { name: 'Starter' }).click();
  await page.getByText('Without API access all keys of this tenant stop working').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Change plan' }).click();
  await page.getByText('Changes have been saved').waitFor();
  const admin = await w.as(w.server.user('PV', 'Super Admin'), '/');
  expect((await w.api(admin, 'POST', '/v1/api-access/request')).status).toBe(200);
  await page.goto(`${w.server.demo.url}/tenants`);
  await page.getByRole('row').filter({ hasText: tenant.name }).getByText('API access requested').waitFor();
  await expectAccessible(page);
  await page.getByRole('link', { name: tenant.name }).click();
  await page.getByText('API access was requested on').waitFor();
  await page.getByRole('combobox', { name: 'Plan' }).click();
  await page.getByRole('option', { name: 'Professional' }).click();
  await page.getByRole('button', { name: 'Change plan' }).click();
  await page.getByText('API access was requested on').waitFor({ state: 'detached' });
});

test('NV1: a tenant is made, worked in, suspended, resumed and deleted', async () => {
  const page = await w.as(w.server.demo.system_admin, '/tenants');
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Create tenant' });
  await dialog.getByRole('button', { name: 'Create tenant' }).click();
  await dialog.getByText('Enter a name').waitFor();
  await dialog.getByLabel('Name', { exact: true }).fill('Juniper Freight');
  expect(await dialog.getByLabel('Short name').inputValue()).toBe('juniper-freight');
  await expectAccessible(page);
  await dialog.getByRole('combobox', { name: 'Plan' }).click();
  await page.getByRole('option', { name: 'Professional' }).click();
  await dialog.getByRole('button', { name: 'Create tenant' }).click();
  await page.waitForURL(/\/tenants\/ten_/);
  await page.getByRole('heading', { level: 1, name: /Juniper Freight/ }).waitFor();
  await expectAccessible(page);

  await page.getByRole('button', { name: 'Suspend' }).click();
  const suspend = page.getByRole('alertdialog').getByRole('button', { name: 'Suspend tenant' });
  await suspend.waitFor();
  await expectAccessible(page);
  await suspend.click();
  await page.getByText('Suspended', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Active', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Work in this tenant' }).click();
  await page.getByRole('button', { name: 'Organization: Juniper Freight, All organizations' }).waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'Delete tenant' }).click();
  const sure = page.getByRole('alertdialog');
  await sure.waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
  await expectAccessible(page);
  await sure.getByRole('button', { name: 'Delete tenant' }).click();
  await page.waitForURL(/\/tenants$/);
  await page.getByRole('searchbox', { name: 'Search tenants' }).fill('Meadow');
  await page.getByText('1 tenant', { exact: true }).waitFor();
});

test('PV4: plans are made, changed and deleted; one that is in use stays, and why', async () => {
  const page = await w.as(w.server.demo.system_admin, '/plans');
  await page.getByRole('button', { name: 'Create plan' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create plan' });
  await dialog.getByLabel('Name', { exact: true }).fill('Archive only');
  await dialog.getByLabel('Permissions').fill('Not a permission');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Create plan' }).click();
  await dialog.locator('[role=alert], [id$="-error"]').first().waitFor();
  await dialog.getByLabel('Permissions').fill('call_recordings:read');
  await dialog.getByRole('button', { name: 'Create plan' }).click();
  await page.getByText('Plan created').waitFor();
  await page.getByRole('button', { name: 'Archive only', exact: true }).click();
  const edit = page.getByRole('dialog', { name: 'Edit “Archive only”' });
  await edit.getByRole('checkbox', { name: /API access/ }).click();
  await edit.getByText('all keys of the tenants on this plan stop working').waitFor();
  await expectAccessible(page);
  await edit.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  const row = page.getByRole('row').filter({ hasText: 'Archive only' });
  expect(await row.innerText()).toContain('Not included');
  await expectAccessible(page);

  await page.getByRole('button', { name: 'Actions for Professional' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete plan' }).click();
  await page.getByRole('alert').filter({ hasText: 'Tenants have this plan.' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('alertdialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Actions for Archive only' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete plan' }).click();
  await page.getByText('Plan deleted').waitFor();
  await row.waitFor({ state: 'detached' });
});

test('EE4: the catalogue is changed entry by entry; another’s change is not lost', async () => {
  const page = await w.as(w.server.demo.system_admin, '/api-catalogue');
  const group = page.getByRole('region', { name: 'Analytics & Content' });
  await group.getByRole('button', { name: 'Call Recordings & Storage', exact: true }).waitFor();
  expect(await group.getByRole('listitem').count()).toBe(5);
  expect(await group.getByText('Requires').count()).toBe(1);
  await page.getByText('Legacy', { exact: true }).waitFor();
  await expectAccessible(page);

  // Somebody else changes it while the form stands open.
  await group.getByRole('button', { name: 'Add API' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add API' });
  await dialog.getByLabel('Name', { exact: true }).fill('Call Transcripts');
  await dialog.getByLabel('Permissions').fill('transcripts:read');
  await dialog.getByLabel('Documentation').fill('https://docs.example.com/apis/transcripts');
  await expectAccessible(page);
  const now = (await w.api<Record<string, unknown> & { clients: object[] }>(page, 'GET', '/v1/catalog')).body;
  const { revision, groups, clients, licences } = now;
  const theirs = [...clients, { key: 'tablet', name: 'Tablet client', permissions: ['recent_calls:read'] }];
  expect((await w.api(page, 'PUT', '/v1/catalog', { revision, groups, clients: theirs, licences })).status).toBe(200);
  await dialog.getByRole('button', { name: 'Add API' }).click();
  await dialog.getByText('Someone else changed the catalogue meanwhile.').waitFor();
  await page.getByText('Tablet client').waitFor();
  await dialog.getByRole('button', { name: 'Add API' }).click();
  await page.getByText('Changes have been saved').waitFor();
  await group.getByRole('button', { name: 'Call Transcripts', exact: true }).waitFor();
  await page.getByText('Tablet client').waitFor();
  const after = (
    await w.api<{ clients: { key: string }[]; groups: { apis: { key: string }[] }[] }>(page, 'GET', '/v1/catalog')
  ).body;
  expect(after.clients.map((c) => c.key)).toContain('tablet');
  expect(after.groups[0]!.apis.map((a) => a.key)).toContain('call_transcripts');

  await group.getByRole('button', { name: 'Actions for Call Transcripts' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  const remove = page.getByRole('alertdialog').getByRole('button', { name: 'Remove API' });
  await remove.waitFor();
  await expectAccessible(page);
  await remove.click();
  await group.getByRole('button', { name: 'Call Transcripts', exact: true }).waitFor({ state: 'detached' });
});

test('NV1: the pages of the system are for operators alone', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/tenants');
  for (const path of ['/tenants', '/plans', '/api-catalogue']) {
    await page.goto(w.server.demo.url + path);
    await page.getByText('You do not have access to this page.').waitFor();
  }
  for (const name of ['Tenants', 'Plans', 'API catalogue'])
    expect(await page.getByRole('link', { name, exact: true }).count()).toBe(0);
  for (const path of ['/v1/tenants', '/v1/plans']) expect((await w.api(page, 'GET', path)).status).toBe(403);
  await page.goto(`${w.server.demo.url}/tenants/${w.server.tenant('NV').id}`);
  await page.getByText('There is no such tenant, or you may not see it.').waitFor();
});
