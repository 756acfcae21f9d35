import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();

const admin = () => w.server.user('EE', 'Company Admin');
const superAdmin = () => w.server.user('EE', 'Super Admin');
const agent = () => w.server.user('EE', 'Agent');
const named = (username: string) => {
  const tenant = w.server.tenant('EE');
  return { ...tenant.users.find((u) => u.username === username)!, tenant: tenant.slug };
};
const seeded = (name: string) => w.server.tenant('EE').credentials.find((c) => c.name === name)!;
const nav = (page: Page) => page.getByRole('navigation', { name: 'Main' });

/** Creates an app in the console and answers its page with key and secret. */
async function create(page: Page, name: string, apis: string[]) {
  await page.getByRole('button', { name: 'Create app' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  for (const api of apis) await dialog.getByLabel(api, { exact: true }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog', { name: 'App created' }).waitFor();
  const [key, secret] = await dialog.locator('[data-secret]').allInnerTexts();
  return { dialog, key: key!, secret: secret! };
}

test('EE1: the permission opens the page; without it there is no entry, and the API refuses', async () => {
  const page = await w.as(admin(), '/apps');
  await page.getByRole('table', { name: 'Apps' }).getByText('Shop analytics').waitFor();
  expect(await nav(page).getByRole('link', { name: 'Apps', exact: true }).count()).toBe(1);
  await expectAccessible(page);

  const kim = await w.as(agent(), '/apps');
  await kim.getByText('You do not have access to this page.').waitFor();
  await kim.getByText('A Super Admin can give you “Application Credentials”.').waitFor();
  expect(await nav(kim).getByRole('link', { name: 'Apps', exact: true }).count()).toBe(0);
  expect((await w.api(kim, 'GET', '/v1/apps')).status).toBe(403);
  await expectAccessible(kim);
});

test('EE1: a custom role can be given it', async () => {
  const nadia = await w.as(superAdmin(), '/apps');
  const role = await w.api<{ id: string }>(nadia, 'POST', '/v1/roles', {
    name: 'App keeper',
    permissions: ['claviger.apps:manage'],
  });
  await w.api(nadia, 'POST', '/v1/assignments', {
    principal_id: agent().id,
    principal_type: 'user',
    role_id: role.body.id,
    organization_id: agent().organization_id,
  });
  const kim = await w.as(agent(), '/');
  await nav(kim).getByRole('link', { name: 'Apps', exact: true }).waitFor();
});

test('EE2: a name, then APIs that can be searched and selected as a group; key and secret are made', async () => {
  const page = await w.as(admin(), '/apps');
  await page.getByRole('table', { name: 'Apps' }).waitFor();
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Analytics for Contact Center').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Enter a name').waitFor();
  await dialog.getByLabel('Name', { exact: true }).fill('Night figures');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Choose at least one API').waitFor();

  await dialog.getByLabel('Search APIs').fill('recent');
  await dialog.getByText('Customer Experience Post Call Survey').waitFor({ state: 'detached' });
  await dialog.getByLabel('Customer Experience Recent Calls', { exact: true }).check();
  await dialog.getByLabel('Search APIs').fill('');
  await dialog.getByLabel('Select all of Actions').check();
  await dialog.getByText('3 chosen').waitFor();
  await dialog.getByRole('button', { name: 'Save' }).click();

  await page.getByRole('dialog', { name: 'App created' }).waitFor();
  await expectAccessible(page);
  const [key, secret] = await dialog.locator('[data-secret]').allInnerTexts();
  expect(key).toMatch(/^clv_app_/);
  expect(secret).toMatch(/^clv_aps_/);
  expect(await w.verify({ credential: key, permissions: 'recent_calls:read AND work_chat:write' })).toMatchObject({
    valid: true,
    code: 'VALID',
  });
  expect((await w.verify({ credential: key, permissions: 'surveys:read' })).valid).toBe(false);

  // Only "I have saved it" closes it, and then nothing of it is left.
  await page.keyboard.press('Escape');
  expect(await dialog.count()).toBe(1);
  await dialog.getByRole('button', { name: 'Copy Key' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  await dialog.getByRole('button', { name: 'I have saved it' }).click();
  await page.waitForURL(/\/apps\/app_/);
  await page.getByRole('heading', { level: 1, name: /Night figures/ }).waitFor();
  await dialog.waitFor({ state: 'detached' });
  const left = await traces(page);
  expect(left).not.toContain(key!.slice(8, 20) + '_');
  expect(left).not.toContain(secret);
});

test('EE3: each app has its own APIs; another choice takes effect at once', async () => {
  const page = await w.as(admin(), '/apps');
  await page.getByRole('table', { name: 'Apps' }).waitFor();
  const { dialog, key } = await create(page, 'Changing app', ['Customer Experience Recent Calls']);
  await dialog.getByRole('button', { name: 'I have saved it' }).click();
  await page.waitForURL(/\/apps\/app_/);
  await page.getByText('1 of 8 chosen').waitFor();

  await page.getByLabel('Contact Center Chat', { exact: true }).check();
  await page.getByText('1 change, in effect as soon as it is saved').waitFor();
  await page.getByRole('button', { name: 'Discard' }).click();
  expect(await page.getByLabel('Contact Center Chat', { exact: true }).isChecked()).toBe(false);

  await page.getByLabel('Customer Experience Recent Calls', { exact: true }).uncheck();
  await page.getByText('Choose at least one API').waitFor();
  await page.getByLabel('Customer Experience Post Call Survey', { exact: true }).check();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  expect((await w.verify({ credential: key, permissions: 'surveys:read' })).valid).toBe(true);
  expect((await w.verify({ credential: key, permissions: 'recent_calls:read' })).valid).toBe(false);

  await page.getByRole('button', { name: 'Edit name' }).click();
  await dialog.getByLabel('Name').waitFor();
  await expectAccessible(page);
  await dialog.getByLabel('Name').fill('Changed app');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: /Changed app/ }).waitFor();
});

test('EE4: the catalogue’s groups and APIs, each with its documentation', async () => {
  const page = await w.as(admin(), `/apps/${seeded('Shop analytics').owner}`);
  const content = page.getByRole('region', { name: 'Analytics & Content' });
  await content.waitFor();
  expect(await content.getByRole('listitem').count()).toBe(5);
  for (const api of ['CHAPI Work Chat', 'Contact Center Chat']) {
    const actions = page.getByRole('region', { name: 'Actions' });
    await actions.getByLabel(api, { exact: true }).waitFor();
    const link = actions.getByRole('link', { name: `Documentation of ${api}` });
    expect(await link.getAttribute('href')).toMatch(/^https:\/\/docs\.example\.com\/apis\//);
    expect(await link.getAttribute('rel')).toContain('noopener');
  }
});

test('EE5: key and secret are masked; an eye shows each, after the password, audited; both can be copied', async () => {
  const app = seeded('Shop analytics');
  const page = await w.as(admin(), `/apps/${app.owner}`);
  await page.getByLabel('Key, hidden').waitFor();
  await page.getByLabel('Secret, hidden').waitFor();
  expect(await page.content()).not.toContain(app.key);

  // As if the session were older than five minutes: the first answer asks for the password.
  let asked = false;
  await page.route('**/reveal', async (route) => {
    if (asked) return route.continue();
    asked = true;
    await route.fulfill({
      status: 403,
      contentType: 'application/problem+json',
      body: JSON.stringify({
        status: 403,
        code: 'reauthentication_required',
        title: 'Confirm',
        detail: 'Enter your password.',
      }),
    });
  });
  await page.getByRole('button', { name: 'Show key' }).click();
  await page.getByRole('dialog', { name: 'Confirm that it is you' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('textbox', { name: /^Password of/ }).fill(admin().password);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText(app.key!).waitFor();
  expect(await page.content()).not.toContain(app.secret);
  await page.getByRole('button', { name: 'Hide key' }).click();
  await page.getByLabel('Key, hidden').waitFor();
  expect(await page.content()).not.toContain(app.key);

  await page.getByRole('button', { name: 'Show secret' }).click();
  await page.getByText(app.secret!).waitFor();
  await page.getByRole('button', { name: 'Copy key' }).click();
  await page.getByText('Copied', { exact: true }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(app.key);

  const { body } = await w.api<{ items: { target: { id: string } }[] }>(
    page,
    'GET',
    '/v1/audit-events?action=app.reveal',
  );
  expect(body.items.length).toBeGreaterThanOrEqual(3);
});

test('an app is rotated with time to change over, suspended and resumed', async () => {
  const page = await w.as(admin(), '/apps');
  await page.getByRole('table', { name: 'Apps' }).waitFor();
  const made = await create(page, 'Rotating app', ['Customer Experience Recent Calls']);
  await made.dialog.getByRole('button', { name: 'I have saved it' }).click();
  await page.waitForURL(/\/apps\/app_/);
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Rotate' }).click();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog', { name: 'New key and secret' }).waitFor();
  await expectAccessible(page);
  const [key, secret] = await dialog.locator('[data-secret]').allInnerTexts();
  expect(key).not.toBe(made.key);
  await dialog.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByRole('button', { name: 'Let it end by itself' }).click();
  await page.getByText('The old key and secret work until').waitFor();
  const left = await traces(page);
  for (const shown of [key, secret]) expect(left).not.toContain(shown);
  for (const credential of [key, made.key]) expect((await w.verify({ credential })).code).toBe('VALID');

  await page.getByRole('button', { name: 'Suspend' }).click();
  const alert = page.getByRole('alertdialog');
  await alert.waitFor();
  await expectAccessible(page);
  await alert.getByRole('button', { name: 'Suspend app' }).click();
  await page.getByText('Suspended', { exact: true }).waitFor();
  expect((await w.verify({ credential: key })).valid).toBe(false);
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Active', { exact: true }).waitFor();
  expect((await w.verify({ credential: key })).valid).toBe(true);
});

test('EE6: deleting an app revokes its key', async () => {
  const page = await w.as(admin(), '/apps');
  await page.getByRole('table', { name: 'Apps' }).waitFor();
  const { dialog, key } = await create(page, 'Doomed app', ['Contact Center Chat']);
  await dialog.getByRole('button', { name: 'I have saved it' }).click();
  await page.waitForURL(/\/apps\/app_/);
  await page.getByRole('button', { name: 'Delete app' }).click();
  const alert = page.getByRole('alertdialog', { name: 'Delete “Doomed app”?' });
  await alert.getByText('Its key is revoked and tokens already issued stop working.').waitFor();
  await expectAccessible(page);
  await expect
    .poll(() => alert.getByRole('button', { name: 'Cancel' }).evaluate((el) => el === document.activeElement))
    .toBe(true);
  await alert.getByRole('button', { name: 'Delete app' }).click();
  await page.waitForURL(/\/apps$/);
  await page.getByRole('table', { name: 'Apps' }).waitFor();
  await expect.poll(() => page.getByRole('link', { name: 'Doomed app' }).count()).toBe(0);
  expect((await w.verify({ credential: key })).valid).toBe(false);
  await page.goBack();
  await page.getByText('There is no such app, or you may not see it.').waitFor();
});

test('EE8: Call Recordings & Storage takes the Storage API assignment', async () => {
  const open = async (username: string) => {
    const page = await w.as(named(username), '/apps');
    await page.getByRole('button', { name: 'Create app' }).click();
    const box = page.getByRole('dialog').getByLabel('Call Recordings & Storage', { exact: true });
    await box.waitFor();
    return { page, box };
  };
  const paul = await open('paul.nguyen');
  expect(await paul.box.isDisabled()).toBe(true);
  await paul.page
    .getByRole('dialog')
    .getByText('You need the Storage API assignment to choose this. A Super Admin can grant it.')
    .waitFor();
  // A whole group leaves out what cannot be chosen.
  await paul.page.getByRole('dialog').getByLabel('Select all of Analytics & Content').check();
  expect(await paul.box.isChecked()).toBe(false);
  await paul.page.getByRole('dialog').getByText('4 chosen').waitFor();

  const ana = await open('ana.silva');
  expect(await ana.box.isDisabled()).toBe(false);
  await ana.box.check();

  // A Super Admin grants it.
  const nadia = await w.as(superAdmin(), '/');
  const role = await w.api<{ id: string }>(nadia, 'POST', '/v1/roles', {
    name: 'Storage keeper',
    permissions: ['storage_api:use'],
  });
  const given = await w.api(nadia, 'POST', '/v1/assignments', {
    principal_id: named('paul.nguyen').id,
    principal_type: 'user',
    role_id: role.body.id,
    organization_id: w.server.tenant('EE').organizations.find((o) => !o.parent_id)!.id,
  });
  expect(given.status).toBe(201);
  const again = await open('paul.nguyen');
  expect(await again.box.isDisabled()).toBe(false);
});

test('the list is searched and narrowed in the URL, by keyboard too, and fits a phone', async () => {
  const page = await w.as(admin(), '/apps');
  await page.getByRole('link', { name: 'Shop analytics' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('vault');
  await page.waitForURL(/q=vault/);
  await page.getByRole('link', { name: 'Shop analytics' }).waitFor({ state: 'detached' });
  await page.getByLabel('Search apps').fill('nothing-like-this');
  await page.getByText('No apps match “nothing-like-this” in all organizations.').waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByRole('link', { name: 'Shop analytics' }).waitFor();

  const phone = await w.as(admin(), '/apps', { width: 390, height: 844 });
  await phone.getByRole('list', { name: 'Apps' }).getByText('Shop analytics').click();
  await phone.getByRole('heading', { level: 1, name: /Shop analytics/ }).waitFor();
  await phone.getByRole('region', { name: 'Actions' }).waitFor();
  expect(await phone.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(phone);
});
