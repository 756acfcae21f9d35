import { expect, test } from 'vitest';
import { act, forgetPassword, givePassword, keysPage, makeKeys, row, traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();
const mara = () => w.server.user('PV', 'Super Admin');
const ines = () => w.server.user('NV', 'Super Admin');
const organization = (name: string) => w.server.tenant('NV').organizations.find((o) => o.name === name)!;
const keyOf = (model: 'PV' | 'NV', name: string) => w.server.tenant(model).credentials.find((c) => c.name === name)!;

test('NV13: double click and Edit open the key’s page with the whole key', async () => {
  const page = await w.as(ines(), keysPage);
  const key = keyOf('NV', 'All workstations');
  await act(page, key.name, 'Edit');
  await page.waitForURL(new RegExp(`/settings/api-keys/${key.id}`));
  await page.goBack();
  await row(page, key.name).dblclick({ position: { x: 500, y: 20 } });
  await page.getByRole('heading', { level: 1, name: /All workstations$/ }).waitFor();
  expect(await page.title()).toBe(`All workstations · ${w.server.tenant('NV').name} · Claviger`);
  await page.getByRole('region', { name: 'Details' }).getByText('Organization key').waitFor();
  expect(await traces(page)).not.toContain(key.key!);
  await expectAccessible(page);
  await forgetPassword(page, '**/reveal');
  await page.getByRole('button', { name: 'Show api key' }).click();
  await expectAccessible(page);
  await givePassword(page, ines().password);
  await page.getByText(key.key!, { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Hide api key' }).click();
  await expect.poll(() => traces(page)).not.toContain(key.key!);
  await page.getByRole('button', { name: 'Copy api key' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(key.key);
  expect(await traces(page)).not.toContain(key.key!);
});

test('NV13: name and, within policy, expiry can be changed', async () => {
  const page = await w.as(ines(), keysPage);
  const [id] = await makeKeys(page, 1, 'editable', {
    kind: 'organization_key',
    organization_id: organization('Radiology').id,
  });
  await page.goto(`${w.server.demo.url}${keysPage}/${id}`);
  await page.getByRole('button', { name: 'Edit', exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Edit “editable 000”' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('edited');
  await dialog.getByLabel('Expiration date').fill('2020-01-01');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Choose a date from today on').waitFor();
  await expectAccessible(page);
  const year = new Date().getFullYear() + 2;
  await dialog.getByLabel('Expiration date').fill(`${year}-03-09`);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: /edited$/ }).waitFor();
  await page.getByRole('region', { name: 'Details' }).getByText(`9 Mar ${year}`).waitFor();

  // A policy is told with the date it allows.
  const tenant = w.server.tenant('NV').id;
  await w.api(page, 'PATCH', `/v1/tenants/${tenant}`, {
    policy: { max_lifetime_seconds: { organization_key: 400 * 24 * 3600 } },
  });
  try {
    await page.reload();
    await page.getByRole('button', { name: 'Edit', exact: true }).first().click();
    await page.getByRole('dialog').getByLabel('Expiration date').fill(`${year}-03-08`);
    await page
      .getByRole('dialog')
      .getByText(/Your policy allows dates before/)
      .waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText(/^Choose a date before \d+ \w+ \d{4}, the longest your policy allows$/).waitFor();
  } finally {
    await w.api(page, 'PATCH', `/v1/tenants/${tenant}`, { policy: {} });
  }
});

test('networks and limits of an organization’s key are edited on its page', async () => {
  const page = await w.as(ines(), keysPage);
  const [id] = await makeKeys(page, 1, 'limited', {
    kind: 'organization_key',
    organization_id: organization('Radiology').id,
  });
  await page.goto(`${w.server.demo.url}${keysPage}/${id}`);
  const card = page.getByRole('region', { name: 'Networks and limits' });
  await card.getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog', { name: 'Networks and limits' });
  await dialog.getByRole('textbox', { name: 'Networks' }).fill('nonsense');
  await dialog.getByRole('button', { name: 'Add a rate' }).click();
  await dialog.getByRole('textbox', { name: 'Name of rate 1' }).fill('burst');
  await dialog.getByRole('textbox', { name: 'Calls of rate 1' }).fill('100');
  await dialog.getByRole('button', { name: 'Add a quota' }).click();
  await dialog.getByRole('textbox', { name: 'Name of quota 1' }).fill('monthly');
  await dialog.getByRole('textbox', { name: 'Calls of quota 1' }).fill('50000');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.locator('[data-error], .mantine-InputWrapper-error, [role=alert]').first().waitFor();
  expect(await dialog.innerText()).not.toContain('nonsense');
  await dialog.getByRole('textbox', { name: 'Networks' }).fill('192.0.2.0/24\n2001:db8::/32');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await card.getByText('192.0.2.0/24').waitFor();
  expect(await card.innerText()).toContain('100 calls a minute');
  expect(await card.innerText()).toContain('50,000 calls a month');
});

test('a user’s key: its page shows no secret, its use, and what may be done', async () => {
  const page = await w.as(mara(), keysPage);
  const key = keyOf('PV', 'Nightly report export');
  await page.getByRole('link', { name: key.name }).click();
  await page.getByRole('heading', { level: 1, name: new RegExp(`${key.name}$`) }).waitFor();
  await page.getByRole('region', { name: 'Usage' }).waitFor();
  await page.getByRole('region', { name: 'Details' }).getByText(key.owner).waitFor();
  expect(await page.getByRole('button', { name: 'Show api key' }).count()).toBe(0);
  await page.getByText('Claviger keeps no copy of it: if it is lost, rotate it.').waitFor();
  // PV8: the name alone.
  await page.getByRole('button', { name: 'Edit name' }).waitFor();
  expect(await page.getByRole('button', { name: 'Edit', exact: true }).count()).toBe(0);
  await expectAccessible(page);
});

test('suspending stops a key until it is resumed', async () => {
  const page = await w.as(mara(), keysPage);
  const { body } = await w.api<{ id: string; key: string }>(page, 'POST', '/v1/api-keys', { name: 'paused' });
  await page.goto(`${w.server.demo.url}${keysPage}/${body.id}`);
  await page.getByRole('button', { name: 'Suspend' }).click();
  const dialog = page.getByRole('dialog', { name: 'Suspend “paused”?' });
  await dialog.getByText('until it is resumed').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Suspend API key' }).click();
  await page.getByText('Suspended', { exact: true }).waitFor();
  expect(await w.verify({ credential: body.key })).toMatchObject({ valid: false, code: 'SUSPENDED' });
  await page.getByRole('button', { name: 'Resume' }).click();
  const resume = page.getByRole('dialog').getByRole('button', { name: 'Resume API key' });
  await resume.waitFor();
  await expectAccessible(page);
  await resume.click();
  await page.getByText('Active', { exact: true }).waitFor();
  expect(await w.verify({ credential: body.key })).toMatchObject({ valid: true });
});

test('rotating at once ends the key before', async () => {
  const page = await w.as(mara(), keysPage);
  const { body } = await w.api<{ id: string; key: string }>(page, 'POST', '/v1/api-keys', { name: 'exchanged' });
  await page.goto(`${w.server.demo.url}${keysPage}/${body.id}`);
  await page.getByRole('button', { name: 'Rotate' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rotate “exchanged”?' });
  await dialog.getByRole('combobox', { name: 'The key before' }).click();
  await page.getByRole('option', { name: 'Ends at once' }).click();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Rotate API key' }).click();
  const shown = page.getByRole('dialog', { name: 'API key rotated' });
  const fresh = await shown.locator('[data-secret]').innerText();
  await expectAccessible(page);
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByText('Once', { exact: true }).waitFor();
  expect((await w.verify({ credential: body.key })).valid).toBe(false);
  expect(await w.verify({ credential: fresh })).toMatchObject({ valid: true });
  expect(await traces(page)).not.toContain(fresh);
});

test('a key that is none of one’s business is not there', async () => {
  const page = await w.as(ines(), `${keysPage}/${keyOf('PV', 'Nightly report export').id}`);
  await page.getByText('There is no such key, or you may not see it.').waitFor();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'All API keys' }).click();
  await row(page, 'All workstations').waitFor();
});

test('NV10: an organization’s key is made for a year, with the organization that is chosen', async () => {
  const page = await w.as(ines(), keysPage);
  await row(page, 'All workstations').waitFor();
  await page.getByRole('button', { name: 'Create API Key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create API Key' });
  await dialog.getByRole('radio', { name: /^Organization key/ }).click();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('third shift');
  await dialog.getByRole('combobox', { name: 'Organization' }).click();
  await page.getByRole('option', { name: /^Radiology Night Desk/ }).click();
  await dialog.getByRole('button', { name: 'More' }).click();
  await dialog.getByLabel('Expiration date').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  const shown = page.getByRole('dialog', { name: 'API key created' });
  await shown.getByText('You can show this key again later. Showing it is written to the audit log.').waitFor();
  expect(await shown.innerText()).toContain(String(new Date().getFullYear() + 1));
  await expectAccessible(page);
  const key = await shown.locator('[data-secret]').innerText();
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await row(page, 'third shift').waitFor();
  expect(await traces(page)).not.toContain(key);
  expect(await row(page, 'third shift').innerText()).toContain('Radiology Night Desk');
});

test('NV1: a Customer Administrator makes a key for an organization, and is not asked which kind', async () => {
  const nv = w.server.tenant('NV');
  const root = nv.organizations.find((o) => !o.parent_id)!.id;
  const carl = nv.users.find((u) => u.role === 'Customer Administrator' && u.organization_id === root)!;
  const page = await w.as({ ...carl, tenant: nv.slug }, keysPage);
  await row(page, 'All workstations').waitFor();
  expect(await page.getByRole('combobox', { name: 'Kind' }).count()).toBe(0);
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Create API Key' });
  await dialog.getByRole('combobox', { name: 'Organization' }).waitFor();
  expect(await dialog.getByRole('radio').count()).toBe(0);
  await dialog.getByRole('textbox', { name: 'Name' }).fill('made by Carl');
  await dialog.getByRole('combobox', { name: 'Organization' }).click();
  await page.getByRole('option', { name: /^Radiology Night Desk/ }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  const shown = page.getByRole('dialog', { name: 'API key created' });
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await row(page, 'made by Carl').waitFor();
  expect(await row(page, 'made by Carl').innerText()).toContain('Radiology Night Desk');
});
