import { expect, test, vi } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

// Whole stories, each with several people and pages.
vi.setConfig({ testTimeout: 90_000 });

const org = (model: 'PV' | 'NV' | 'VX', name: string) =>
  w.server.tenant(model).organizations.find((o) => o.name === name)!.id;

test('NV1: tenant-level Customer Administrators see the whole tree and the keys; deeper ones their part, and no keys page', async () => {
  const nv = w.server.tenant('NV');
  const upper = nv.users.find((u) => u.username === 'carl.jensen')!;
  const deeper = nv.users.find((u) => u.username === 'lena.fischer')!;
  const page = await w.as({ ...upper, tenant: nv.slug }, '/organizations');
  await page.getByRole('treeitem', { name: 'Meadowbrook Clinics' }).waitFor();
  expect(await page.getByRole('treeitem').count()).toBe(7);
  await page.getByRole('navigation').getByRole('link', { name: 'API keys' }).waitFor();

  const theirs = await w.as({ ...deeper, tenant: nv.slug }, '/organizations');
  await theirs.getByRole('treeitem', { name: 'Radiology', exact: true }).waitFor();
  expect(await theirs.getByRole('treeitem').allInnerTexts()).toEqual(['Radiology', 'Radiology Night Desk']);
  expect(await theirs.getByRole('navigation').getByRole('link', { name: 'API keys' }).count()).toBe(0);
  const made = await w.api(theirs, 'POST', '/v1/api-keys', {
    name: 'not theirs',
    kind: 'organization_key',
    organization_id: deeper.organization_id,
  });
  expect(made.status).toBe(403);
});

test('the tree is used by keyboard, and what is open stands in the address', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/organizations');
  const tree = page.getByRole('tree', { name: 'Organizations' });
  await tree.waitFor();
  await expectAccessible(page);
  const item = (name: string) => page.getByRole('treeitem', { name, exact: true });
  expect(await item('Berlin').getAttribute('aria-level')).toBe('3');
  expect(await item('Europe').getAttribute('aria-expanded')).toBe('true');
  await tree.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const current = async () =>
    page.evaluate(() => {
      const id = document.activeElement!.getAttribute('aria-activedescendant')!;
      return document.getElementById(id)!.getAttribute('aria-label');
    });
  expect(await current()).toBe('Europe');
  await page.keyboard.press('ArrowLeft');
  await item('Berlin').waitFor({ state: 'hidden' });
  await page.keyboard.press('ArrowRight');
  await item('Berlin').waitFor();
  await page.keyboard.press('ArrowRight');
  expect(await current()).toBe('Berlin');
  await page.keyboard.press('End');
  expect(await current()).toBe('Lisbon');
  await page.keyboard.press('b');
  expect(await current()).toBe('Berlin');
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`open=${org('PV', 'Berlin')}`));
  const details = page.getByRole('region', { name: 'Berlin' });
  await details.getByRole('link', { name: 'Europe' }).waitFor();
  await expectAccessible(page);

  // Its counts lead to the lists, scoped to it.
  const counts = page.getByRole('region', { name: 'At and below it' });
  await counts.getByRole('link').first().click();
  await page.waitForURL(new RegExp(`/users\\?.*org=${org('PV', 'Berlin')}`));
  await page.getByRole('row', { name: /Noor Haddad/ }).waitFor();
  expect(await page.getByRole('row', { name: /Mara Lindt/ }).count()).toBe(0);
  await page.goBack();
  await details.waitFor();
  await details.getByRole('link', { name: 'Northwind Voice' }).click();
  await page.getByRole('region', { name: 'Northwind Voice' }).getByText('Account ID').waitFor();
  expect(await page.getByRole('region', { name: 'Northwind Voice' }).innerText()).toContain(
    String(w.server.tenant('PV').account_id),
  );
  await page.getByText('The root organization is the account itself.').waitFor();
});

test('search finds a part of a name and shows the way to it', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/organizations');
  await page.getByRole('tree').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('night');
  await page.waitForURL(/q=night/);
  await page.getByText('1 of 7 organizations').waitFor();
  expect(await page.getByRole('treeitem').allInnerTexts()).toEqual([
    'Northwind Voice',
    'Europe',
    'Berlin',
    'Berlin Night Shift',
  ]);
  await page.getByRole('searchbox', { name: 'Search organizations' }).fill('nowhere');
  await page.getByText('No organizations match “nowhere”').waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByRole('treeitem', { name: 'Lisbon' }).waitFor();
});

test('an organization is added, renamed, moved and removed', async () => {
  const page = await w.as(w.server.user('VX', 'Super Admin'), `/organizations?open=${org('VX', 'Staging')}`);
  const staging = page.getByRole('region', { name: 'Staging' });
  await staging.getByRole('button', { name: 'Add below' }).click();
  const add = page.getByRole('dialog', { name: 'Add organization' });
  await add.getByRole('button', { name: 'Add organization' }).click();
  await add.getByText('Enter a name').waitFor();
  await add.getByRole('textbox', { name: 'Name' }).fill('Load tests');
  expect(await add.getByRole('combobox', { name: 'Below' }).inputValue()).toBe('Staging');
  await expectAccessible(page);
  await add.getByRole('button', { name: 'Add organization' }).click();
  const made = page.getByRole('region', { name: 'Load tests' });
  await made.waitFor();
  const id = new URL(page.url()).searchParams.get('open')!;
  const now = async () =>
    (
      await w.api<{ name: string; parent_id: string; state: string; external_id?: string }>(
        page,
        'GET',
        `/v1/organizations/${id}`,
      )
    ).body;
  expect(await now()).toMatchObject({ name: 'Load tests', parent_id: org('VX', 'Staging') });

  await made.getByRole('button', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit “Load tests”' });
  await edit.getByRole('textbox', { name: 'Name' }).fill('Soak tests');
  await edit.getByRole('textbox', { name: 'External ID' }).fill('crm-4711');
  await edit.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  await page.getByRole('treeitem', { name: 'Soak tests' }).waitFor();
  expect(await now()).toMatchObject({ name: 'Soak tests', external_id: 'crm-4711' });

  // It cannot be put below itself: the picker leaves its own part of the tree out.
  await page.getByRole('button', { name: 'Move', exact: true }).click();
  const move = page.getByRole('dialog', { name: 'Move “Soak tests”' });
  await move.getByRole('combobox', { name: 'New place, below' }).click();
  await page.getByRole('option', { name: 'Production' }).waitFor();
  expect(await page.getByRole('option', { name: 'Soak tests' }).count()).toBe(0);
  await page.getByRole('option', { name: 'Production' }).click();
  await expectAccessible(page);
  await move.getByRole('button', { name: 'Move organization' }).click();
  await page.getByText('Organization moved').waitFor();
  await page.getByRole('region', { name: 'Soak tests' }).getByRole('link', { name: 'Production' }).waitFor();
  expect((await now()).parent_id).toBe(org('VX', 'Production'));

  await page.getByRole('button', { name: 'Remove' }).click();
  const remove = page.getByRole('alertdialog', { name: 'Remove “Soak tests”?' });
  await remove.getByText('Nothing is there any more.').waitFor();
  await expectAccessible(page);
  await remove.getByRole('button', { name: 'Remove organization' }).click();
  await page.getByText('Organization removed').waitFor();
  await page.getByRole('treeitem', { name: 'Soak tests' }).waitFor({ state: 'hidden' });
  await page.getByRole('region', { name: 'Production' }).waitFor();
  expect((await w.api<{ total: number }>(page, 'GET', '/v1/organizations?search=Soak')).body.total).toBe(0);
});

test('what stands in the way of removing is told in numbers', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), `/organizations?open=${org('PV', 'Europe')}`);
  await page.getByRole('button', { name: 'Remove' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Remove “Europe”?' });
  await dialog.getByText('3 organizations below it').waitFor();
  await dialog.getByRole('link', { name: /^\d+ users$/ }).waitFor();
  expect(await dialog.getByRole('button', { name: 'Remove organization' }).count()).toBe(0);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect((await w.api(page, 'DELETE', `/v1/organizations/${org('PV', 'Europe')}`)).status).toBe(409);
});

test('a suspended organization stops everything below, until it is resumed', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), `/organizations?open=${org('PV', 'Berlin')}`);
  const key = w.server.tenant('PV').credentials.find((c) => c.name === 'Power BI dashboards')!;
  const secret = { credential: key.key };
  expect((await w.verify(secret)).valid).toBe(true);
  await page.getByRole('button', { name: 'Suspend' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Suspend “Berlin”?' });
  await dialog.getByText(/\d+ credentials/).waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Suspend organization' }).click();
  await page.getByRole('treeitem', { name: 'Berlin, suspended' }).waitFor();
  expect((await w.verify(secret)).valid).toBe(false);
  await page.getByRole('button', { name: 'Resume' }).click();
  const resume = page.getByRole('dialog').getByRole('button', { name: 'Resume organization' });
  await resume.waitFor();
  await expectAccessible(page);
  await resume.click();
  await page.getByRole('treeitem', { name: 'Berlin', exact: true }).waitFor();
  expect((await w.verify(secret)).valid).toBe(true);
});

test('who may only look gets no buttons, who may not look no page', async () => {
  const leader = await w.as(w.server.user('PV', 'Team Leader'), `/organizations?open=${org('PV', 'Berlin')}`);
  await leader.getByRole('region', { name: 'Berlin' }).waitFor();
  expect(await leader.getByRole('button', { name: 'Add organization' }).count()).toBe(0);
  expect(await leader.getByRole('button', { name: 'Remove' }).count()).toBe(0);
  await leader.goto(`${w.server.demo.url}/organizations?open=${org('PV', 'Austin')}`);
  await leader.getByText('There is no such organization, or you may not see it.').waitFor();
  const agent = await w.as(w.server.user('PV', 'Agent'), '/organizations');
  await agent.getByText('You do not have access to this page.').waitFor();
  expect((await w.api(agent, 'GET', '/v1/organizations')).status).toBe(403);
});

test('the tree is as good on a phone', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/organizations', { width: 390, height: 844 });
  await page.getByRole('treeitem', { name: 'Lisbon' }).click();
  await page.getByRole('region', { name: 'Lisbon' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'All organizations', exact: true }).click();
  await page.getByRole('treeitem', { name: 'Lisbon' }).waitFor();
});

test('NV1: an operator sees the tree of the tenant they chose, and adds to it', async () => {
  const nv = w.server.tenant('NV');
  const page = await w.as(w.server.demo.system_admin, `/organizations?tenant=${nv.id}`);
  await page.getByRole('treeitem', { name: nv.name }).click();
  const root = page.getByRole('region', { name: nv.name });
  await root.getByText(String(nv.account_id)).waitFor();
  await root.getByRole('button', { name: 'Add below' }).click();
  const add = page.getByRole('dialog', { name: 'Add organization' });
  await add.getByRole('textbox', { name: 'Name' }).fill('Pharmacy');
  await add.getByRole('button', { name: 'Add organization' }).click();
  await page.getByRole('region', { name: 'Pharmacy' }).waitFor();
  expect(new URL(page.url()).searchParams.get('tenant')).toBe(nv.id);
  const made = await w.api<{ items: { tenant_id: string }[] }>(
    page,
    'GET',
    `/v1/organizations?tenant_id=${nv.id}&search=Pharmacy`,
  );
  expect(made.body.items.map((o) => o.tenant_id)).toEqual([nv.id]);
});

test('a tree of hundreds is read page by page, and only what is seen is in the document', async () => {
  const page = await w.as(w.server.user('VX', 'Super Admin'), '/organizations');
  await page.getByRole('tree').waitFor();
  const parent = org('VX', 'Staging');
  const made = await page.evaluate(async (below) => {
    let count = 0;
    const one = async (i: number) => {
      const response = await fetch('/v1/organizations', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ parent_id: below, name: `Site ${String(i).padStart(3, '0')}` }),
      });
      if (response.status === 201) count++;
    };
    for (let i = 0; i < 240; i += 8) await Promise.all(Array.from({ length: 8 }, (_, k) => one(i + k)));
    return count;
  }, parent);
  expect(made).toBe(240);
  await page.reload();
  const tree = page.getByRole('tree', { name: 'Organizations' });
  await page.getByText(/^24\d organizations$/).waitFor();
  // A large tree begins closed below its top.
  await page.getByRole('treeitem', { name: 'Staging' }).waitFor();
  expect(await page.getByRole('treeitem').count()).toBeLessThan(10);
  await tree.focus();
  await page.keyboard.press('s');
  await page.keyboard.press('ArrowRight');
  await page.getByRole('treeitem', { name: 'Site 000' }).waitFor();
  const last = page.getByRole('treeitem', { name: 'Site 239' });
  await expect
    .poll(async () => {
      await page.keyboard.press('End');
      return last.isVisible();
    })
    .toBe(true);
  expect(await last.getAttribute('aria-setsize')).toBe('240');
  expect(await page.getByRole('treeitem').count()).toBeLessThan(80);
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Site 239' }).waitFor();
  // An address that points deep into the tree shows it there.
  await page.reload();
  await last.waitFor();
  expect(await last.getAttribute('aria-selected')).toBe('true');
});

test('NV2: domains, by which desktop clients know whose people somebody is', async () => {
  const page = await w.as(w.server.user('NV', 'Super Admin'), '/organizations');
  const first = w.server.tenant('NV').organizations.find((o) => o.parent_id)!;
  await page.goto(`${w.server.demo.url}/organizations?open=${first.id}`);
  const details = page.getByRole('region', { name: first.name });
  await details.getByRole('button', { name: 'Edit' }).click();
  const box = page.getByRole('dialog', { name: `Edit “${first.name}”` });
  await box.getByLabel('Domains').fill('clinic.example\nnot a domain!');
  await expectAccessible(page);
  await box.getByRole('button', { name: 'Save' }).click();
  await box.getByText(/Use letters, digits, hyphens, dots and underscores/).waitFor();
  await box.getByLabel('Domains').fill('clinic.example\nWARD');
  await box.getByRole('button', { name: 'Save' }).click();
  await box.waitFor({ state: 'hidden' });
  await details.getByText('clinic.example, ward').waitFor();
});

test('NV7: with rights in two parts of the tree the organization menu offers both, and the lists follow', async () => {
  const nv = w.server.tenant('NV');
  const lena = nv.users.find((u) => u.username === 'lena.fischer')!;
  const south = nv.organizations.find((o) => o.name === 'South Hospital')!.id;
  const ines = await w.as(w.server.user('NV', 'Super Admin'), '/users');
  const roles = await w.api<{ items: { id: string; name: string }[] }>(ines, 'GET', '/v1/roles');
  const given = await w.api(ines, 'POST', '/v1/assignments', {
    principal_type: 'user',
    principal_id: lena.id,
    role_id: roles.body.items.find((r) => r.name === lena.role)!.id,
    organization_id: south,
  });
  expect(given.status).toBe(201);

  // At home first.
  const page = await w.as({ ...lena, tenant: nv.slug }, '/users');
  await page.getByRole('row', { name: /Raj Patel/ }).waitFor();
  expect(await page.getByRole('row', { name: /Ana Costa/ }).count()).toBe(0);
  const menu = page.getByRole('button', { name: 'Organization: Meadowbrook Clinics, Radiology' });
  await menu.click();
  const options = page.getByRole('listbox', { name: 'organizations' }).getByRole('option');
  await page.getByRole('option', { name: 'Emergency' }).waitFor();
  expect(await options.allInnerTexts()).toEqual(['Radiology', 'Radiology Night Desk', 'South Hospital', 'Emergency']);
  await expectAccessible(page);
  await page.getByRole('combobox', { name: 'Search organizations' }).fill('south');
  await expect.poll(() => options.allInnerTexts()).toEqual(['South Hospital']);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`org=${south}`));
  await page.getByRole('row', { name: /Ana Costa/ }).waitFor();
  expect(await page.getByRole('row', { name: /Raj Patel/ }).count()).toBe(0);

  // Another page has the same part, and its dialogue offers both.
  await page.getByRole('link', { name: 'Organizations', exact: true }).click();
  await page.getByRole('treeitem', { name: 'Emergency' }).waitFor();
  expect(await page.getByRole('treeitem').allInnerTexts()).toEqual(['South Hospital', 'Emergency']);
  await page.getByRole('link', { name: 'Users', exact: true }).click();
  await page.getByRole('button', { name: 'Invite user' }).first().click();
  await page.getByRole('dialog').getByRole('combobox', { name: 'Organization' }).click();
  await page.getByRole('option', { name: 'Radiology Night Desk' }).waitFor();
  await page.getByRole('option', { name: 'Emergency' }).waitFor();
});
