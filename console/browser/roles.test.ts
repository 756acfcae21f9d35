import type { Page } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

// Whole stories, each with several people and pages.
vi.setConfig({ testTimeout: 90_000 });

interface Role {
  id: string;
  name: string;
  built_in?: string;
  permissions: string[];
  includes: string[];
}
async function roleOf(page: Page, name: string): Promise<Role> {
  const { body } = await w.api<{ items: Role[] }>(page, 'GET', '/v1/roles');
  return body.items.find((r) => r.name === name)!;
}

test('PV5: the Essentials icon lets a role generate API keys, and its people get the page', async () => {
  const analyst = await w.as(w.server.user('PV', 'Analyst'), '/settings/api-keys');
  await analyst.getByRole('heading', { level: 1 }).waitFor();
  const entry = analyst.getByRole('navigation').getByRole('link', { name: 'API keys' });
  expect(await entry.count()).toBe(0);
  expect((await w.api(analyst, 'POST', '/v1/api-keys', { name: 'too early' })).status).toBe(403);

  const page = await w.as(w.server.user('PV', 'Super Admin'), '/roles');
  await page.getByRole('table', { name: 'Roles' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Essentials of Analyst' }).click();
  const group = page.getByRole('region', { name: 'API Keys Permissions' });
  const box = group.getByRole('checkbox', { name: 'Grant access to API keys generation' });
  expect(await box.isChecked()).toBe(false);
  await box.check();
  await page.getByText(/^1 change, in effect as soon as saved/).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  await page.getByText('No changes').waitFor();
  expect((await roleOf(page, 'Analyst')).permissions).toContain('claviger.api_keys:generate');

  await analyst.reload();
  await entry.waitFor();
  expect((await w.api(analyst, 'POST', '/v1/api-keys', { name: 'in time' })).status).toBe(201);
});

test('the icon opens and closes the groups, and the address says so', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/roles');
  await page.getByRole('link', { name: 'Team Leader', exact: true }).click();
  const icon = page.getByRole('button', { name: 'Essentials' });
  expect(await icon.getAttribute('aria-expanded')).toBe('false');
  // A star is shown plainly, with what it means.
  await page.getByText('“read” in all of the vendor’s APIs').waitFor();
  await page.getByText('This role grows with the vendor’s APIs').waitFor();
  await icon.click();
  await page.waitForURL(/essentials=open/);
  for (const name of ['API Keys Permissions', 'Credentials Permissions', 'All of the vendor’s APIs', 'Actions']) {
    await page.getByRole('region', { name, exact: true }).waitFor();
  }
  // What the star grants is ticked, and cannot be unticked singly.
  const covered = page.getByRole('checkbox', { name: 'Recent calls: read' });
  expect([await covered.isChecked(), await covered.isDisabled()]).toEqual([true, true]);
  await page.getByRole('searchbox', { name: 'Search permissions' }).fill('application cred');
  await page.getByRole('region', { name: 'API Keys Permissions' }).waitFor({ state: 'hidden' });
  await page.getByText('Application Credentials').waitFor();
  await page.goBack();
  await page.getByRole('group', { name: 'Essentials' }).waitFor({ state: 'hidden' });
});

test('EE1: a custom role is given “Application Credentials”, and whoever has it gets the apps', async () => {
  const kim = w.server.user('EE', 'Agent');
  const theirs = await w.as(kim, '/');
  await theirs.getByRole('heading', { level: 1 }).waitFor();
  const entry = theirs.getByRole('navigation').getByRole('link', { name: 'Apps' });
  expect(await entry.count()).toBe(0);
  expect((await w.api(theirs, 'GET', '/v1/apps')).status).toBe(403);

  const page = await w.as(w.server.user('EE', 'Super Admin'), '/roles');
  await page.getByRole('table', { name: 'Roles' }).waitFor();
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Create role' });
  await dialog.getByRole('button', { name: 'Create role' }).click();
  await dialog.getByText('Enter a name').waitFor();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Shop integrator');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Create role' }).click();
  await page.getByRole('heading', { level: 1, name: /Shop integrator/ }).waitFor();
  const row = page.getByRole('region', { name: 'Credentials Permissions' });
  await row.getByText('Application Credentials').waitFor();
  await row.getByRole('checkbox', { name: 'Grant access to apps and their credentials' }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  const made = await roleOf(page, 'Shop integrator');
  expect(made.permissions).toEqual(['claviger.apps:manage']);

  const root = w.server.tenant('EE').organizations.find((o) => !o.parent_id)!;
  const given = await w.api(page, 'POST', '/v1/assignments', {
    principal_type: 'user',
    principal_id: kim.id,
    role_id: made.id,
    organization_id: root.id,
  });
  expect(given.status).toBe(201);
  await page.reload();
  await page.getByRole('table', { name: 'Who has it' }).getByRole('link', { name: 'Kim Larsen' }).waitFor();
  await theirs.reload();
  await entry.waitFor();
  expect((await w.api(theirs, 'GET', '/v1/apps')).status).toBe(200);
});

test('EE1: Company Admin has “Application Credentials” from the beginning', async () => {
  const page = await w.as(w.server.user('EE', 'Company Admin'), '/roles');
  await page.getByRole('navigation').getByRole('link', { name: 'Apps' }).waitFor();
  await page.getByRole('link', { name: 'Essentials of Company Admin' }).click();
  const box = page.getByRole('checkbox', { name: 'Grant access to apps and their credentials' });
  await box.waitFor();
  expect([await box.isChecked(), await box.isDisabled()]).toEqual([true, true]);
  await page.getByText('You can look at roles, not change them.').waitFor();
  expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);
  await expectAccessible(page);
});

test('VX7: a role includes another, follows it, and lets it go; circles are refused', async () => {
  const page = await w.as(w.server.user('VX', 'Super Admin'), '/roles');
  await page.getByRole('table', { name: 'Roles' }).waitFor();
  const made = await w.api<Role>(page, 'POST', '/v1/roles', { name: 'Call lists', permissions: ['recent_calls:read'] });
  expect(made.status).toBe(201);
  await page.goto(`${w.server.demo.url}/roles/${made.body.id}`);
  await page.getByRole('button', { name: 'Add role' }).click();
  const dialog = page.getByRole('dialog', { name: 'Include a role in “Call lists”' });
  await dialog.getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: /^Agent/ }).click();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Include role' }).click();
  await page.getByText('Changes have been saved').waitFor();
  const includes = page.getByRole('region', { name: 'Includes' });
  await includes.getByRole('link', { name: 'Agent' }).waitFor();
  const agent = await roleOf(page, 'Agent');
  expect((await roleOf(page, 'Call lists')).includes).toEqual([agent.id]);
  const resolved = await w.api<{ resolved: string[] }>(page, 'GET', `/v1/roles/${made.body.id}`);
  expect(resolved.body.resolved).toContain('contact_center_chat:write');

  // The other way round would be a circle.
  await includes.getByRole('link', { name: 'Agent' }).click();
  await page.getByRole('heading', { level: 1, name: /Agent/ }).waitFor();
  await page.getByRole('region', { name: 'Details' }).getByRole('link', { name: 'Call lists' }).waitFor();
  await page.getByRole('button', { name: 'Add role' }).click();
  await page.getByRole('dialog').getByRole('combobox', { name: 'Role' }).click();
  const circle = page.getByRole('option', { name: /^Call lists/ });
  await circle.getByText('Includes “Agent” itself.').waitFor();
  expect(await circle.getAttribute('data-combobox-disabled')).not.toBeNull();

  await page.goto(`${w.server.demo.url}/roles/${made.body.id}`);
  await includes.getByRole('button', { name: 'Stop including Agent' }).click();
  const stop = page.getByRole('alertdialog').getByRole('button', { name: 'Stop including role' });
  await stop.waitFor();
  await expectAccessible(page);
  await stop.click();
  await includes.getByText('No other role.').waitFor();
  expect((await roleOf(page, 'Call lists')).includes).toEqual([]);
});

test('VX7: what the editor may not grant is disabled with the reason, and the API refuses it', async () => {
  const admin = await w.as(w.server.user('PV', 'Super Admin'), '/roles');
  // Someone who may shape roles and holds little else.
  const made = await w.api<Role>(admin, 'POST', '/v1/roles', {
    name: 'Role editor',
    permissions: ['claviger.roles:read', 'claviger.roles:manage', 'claviger.organizations:read', 'claviger.usage:read'],
  });
  expect(made.status).toBe(201);
  const root = w.server.tenant('PV').organizations.find((o) => !o.parent_id)!;
  const leader = w.server.user('PV', 'Team Leader');
  const given = await w.api<{ id: string }>(admin, 'POST', '/v1/assignments', {
    principal_type: 'user',
    principal_id: leader.id,
    role_id: made.body.id,
    organization_id: root.id,
  });
  expect(given.status).toBe(201);

  const page = await w.as(leader, '/roles');
  await page.getByRole('button', { name: 'Create role' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create role' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Small role');
  await dialog.getByRole('combobox', { name: 'Begin with the permissions of' }).click();
  await page
    .getByRole('option', { name: /^Admin/ })
    .getByText(/which you do not have yourself/)
    .waitFor();
  await page.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'Create role' }).click();
  await page.getByRole('heading', { level: 1, name: /Small role/ }).waitFor();
  const box = page.getByRole('checkbox', { name: 'Grant access to apps and their credentials' });
  await box.waitFor();
  expect(await box.isDisabled()).toBe(true);
  await page.getByText('You do not have this permission yourself, so you cannot grant it.').first().waitFor();
  await page.getByRole('checkbox', { name: 'Show how credentials are used' }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  const small = await roleOf(page, 'Small role');
  expect(small.permissions).toEqual(['claviger.usage:read']);
  const tried = await w.api<{ code: string }>(page, 'PATCH', `/v1/roles/${small.id}`, {
    permissions: ['claviger.apps:manage'],
  });
  expect(tried).toMatchObject({ status: 403, body: { code: 'more_than_held' } });

  // A role that grants more than they hold is not theirs to change.
  const admins = await roleOf(page, 'Company Admin');
  await page.goto(`${w.server.demo.url}/roles/${admins.id}?essentials=open`);
  await page.getByText(/^You cannot change this role: it grants/).waitFor();
  expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);
  expect((await w.api(admin, 'DELETE', `/v1/assignments/${given.body.id}`)).status).toBe(204);
});

test('Super Admin is read-only with the reason; a copy of it is not', async () => {
  const page = await w.as(w.server.user('NV', 'Super Admin'), '/roles');
  await page.getByRole('link', { name: 'Essentials of Super Admin' }).click();
  await page.getByText('This role cannot be changed, so that someone can always do everything.').waitFor();
  expect(await page.getByRole('checkbox', { name: 'Grant access to API keys generation' }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Copy role' }).click();
  const dialog = page.getByRole('dialog', { name: 'Copy “Super Admin”' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Almost everything');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Create role' }).click();
  await page.getByRole('heading', { level: 1, name: /Almost everything/ }).waitFor();
  const box = page.getByRole('checkbox', { name: 'Grant access to API keys generation' });
  await box.uncheck();
  await page.getByRole('button', { name: 'Discard' }).click();
  expect(await box.isChecked()).toBe(true);
  await box.uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  const made = await roleOf(page, 'Almost everything');
  expect(made.permissions).not.toContain('claviger.api_keys:generate');
  expect(made.permissions).toContain('*:*');

  await page.getByRole('button', { name: 'Delete role' }).click();
  const remove = page.getByRole('alertdialog').getByRole('button', { name: 'Delete role' });
  await remove.waitFor();
  await expectAccessible(page);
  await remove.click();
  await page.waitForURL(/\/roles$/);
  await page.getByRole('link', { name: 'Supervisor', exact: true }).waitFor();
  expect(await roleOf(page, 'Almost everything')).toBeUndefined();
});

test('who may not see roles gets no page', async () => {
  const page = await w.as(w.server.user('PV', 'Agent'), '/roles');
  await page.getByText('You do not have access to this page.').waitFor();
  expect(await page.getByRole('navigation').getByRole('link', { name: 'Roles' }).count()).toBe(0);
  expect((await w.api(page, 'GET', '/v1/roles')).status).toBe(403);
});
