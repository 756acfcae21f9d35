import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

const superAdmin = () => w.server.user('VX', 'Super Admin');
const admin = () => w.server.user('VX', 'Company Admin');
const analyst = () => w.server.user('VX', 'Analyst');
const seeded = (name: string) => w.server.tenant('VX').credentials.find((c) => c.name === name)!;
const nav = (page: Page) => page.getByRole('navigation', { name: 'Main' });

interface KeyFile {
  account_email: string;
  account_id: number;
  key_id: string;
  private_key: string;
}

/** Presses the button and answers the file that the browser saves. */
async function saved(page: Page, press: () => Promise<void>): Promise<{ name: string; text: string; file: KeyFile }> {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  const text = fs.readFileSync(await download.path(), 'utf8');
  return { name: download.suggestedFilename(), text, file: JSON.parse(text) as KeyFile };
}

/** Chooses a role in the row with this number, from 1. */
async function chooseRole(page: Page, row: number, role: string) {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Add role' }).click();
  await dialog.getByRole('combobox', { name: `Role ${row}` }).click();
  await page.getByRole('option', { name: role }).click();
}

/** Nothing of a private key may be left in the page. */
async function expectNoPrivateKey(page: Page, file: KeyFile) {
  const left = await page.evaluate(
    () =>
      document.documentElement.outerHTML +
      JSON.stringify({ ...window.localStorage }) +
      JSON.stringify({ ...window.sessionStorage }) +
      JSON.stringify(history.state) +
      location.href,
  );
  expect(left).not.toContain('PRIVATE KEY');
  expect(left).not.toContain(file.private_key.split('\n')[1]);
}

test('VX1: roles, a description, and the browser saves the file with the private key', async () => {
  const page = await w.as(superAdmin(), '/service-accounts');
  await page.getByRole('link', { name: 'Scenario runner' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Add service account' });
  await chooseRole(page, 1, 'Scenario developer');
  await chooseRole(page, 2, 'Recordings reader');
  await dialog.getByRole('button', { name: 'Add role' }).click();
  await dialog.getByRole('button', { name: 'Generate key' }).click();
  await dialog.getByText('Choose a role, or remove this row').waitFor();
  await dialog.getByRole('button', { name: 'Remove role 3' }).click();
  await dialog.getByLabel('Description').fill('Morning call lists');
  await expectAccessible(page);
  const { name, file } = await saved(page, () => dialog.getByRole('button', { name: 'Generate key' }).click());

  expect(Object.keys(file).sort()).toEqual(['account_email', 'account_id', 'key_id', 'private_key']);
  expect(file.account_id).toBe(w.server.tenant('VX').account_id);
  expect(file.key_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(createPrivateKey(file.private_key).asymmetricKeyType).toBe('rsa');

  await page.getByRole('heading', { level: 1, name: /Morning call lists/ }).waitFor();
  await page.getByText(`Your browser saved ${name}`).waitFor();
  await page.getByText(file.account_email, { exact: true }).waitFor();
  await page.getByText(file.key_id, { exact: true }).waitFor();
  for (const role of ['Scenario developer', 'Recordings reader']) await page.getByText(role, { exact: true }).waitFor();
  await expectNoPrivateKey(page, file);
  await expectAccessible(page);
});

test('VX1: the examples hold this account’s values, and what is copied signs a good token', async () => {
  const page = await w.as(superAdmin(), '/service-accounts');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await chooseRole(page, 1, 'Recordings reader');
  const { name, text, file } = await saved(page, () =>
    page.getByRole('dialog').getByRole('button', { name: 'Generate key' }).click(),
  );
  const example = async (language: string) => {
    await page.getByRole('tab', { name: language }).click();
    const shown = page.getByLabel(`Example for ${language}`, { exact: true });
    await shown.waitFor();
    await page.getByRole('button', { name: `Copy Example for ${language}` }).click();
    const code = await page.evaluate(() => navigator.clipboard.readText());
    expect(code).toContain(file.key_id);
    expect(code).toContain(String(file.account_id));
    expect(code).toContain(name);
    return code;
  };
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'claviger-sign-'));
  try {
    fs.writeFileSync(path.join(dir, name), text);
    const run = (program: string, args: string[]) => execFileSync(program, args, { cwd: dir, encoding: 'utf8' });
    const curl = (await example('curl')).replace(/curl .* -H "Authorization: Bearer (.*)"/, 'printf %s "$1"');
    const node = (await example('Node')).replace(/const answer[^]*/, 'process.stdout.write(token)');
    expect(await example('Go')).toContain('rsa.SignPKCS1v15');
    for (const token of [run('bash', ['-c', curl]), run('node', ['--input-type=module', '-e', node])]) {
      const [head = '', body = '', signature = ''] = token.split('.');
      const part = (t: string) => JSON.parse(Buffer.from(t, 'base64url').toString()) as Record<string, unknown>;
      expect(part(head)).toEqual({ alg: 'RS256', kid: file.key_id });
      expect(part(body)).toMatchObject({ iss: file.account_id });
      const good = verify(
        'RSA-SHA256',
        Buffer.from(`${head}.${body}`),
        createPublicKey(file.private_key),
        Buffer.from(signature, 'base64url'),
      );
      expect(good).toBe(true);
      expect(await w.verify({ credential: token })).toMatchObject({ valid: true, code: 'VALID' });
    }
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});

test('VX1: a second key for rotation; keys are revoked one by one', async () => {
  const page = await w.as(superAdmin(), `/service-accounts/${seeded('Monitoring').owner}`);
  await page.getByRole('table', { name: 'Keys' }).waitFor();
  const rows = page.getByRole('table', { name: 'Keys' }).getByRole('row');
  const before = await rows.count();
  const { name, file } = await saved(page, () => page.getByRole('button', { name: 'Generate key' }).click());
  await page.getByText(`Your browser saved ${name}`).waitFor();
  await page.getByRole('table', { name: 'Keys' }).getByText(file.key_id).waitFor();
  expect(await rows.count()).toBe(before + 1);
  await expectNoPrivateKey(page, file);

  const old = seeded('Monitoring').key_id!;
  await page.getByRole('button', { name: `Revoke ${old}` }).click();
  const alert = page.getByRole('alertdialog', { name: `Revoke key ${old.slice(0, 8)}…?` });
  await alert.getByText('1 other key goes on working.').waitFor();
  await expectAccessible(page);
  await alert.getByRole('button', { name: 'Yes, revoke key' }).click();
  await rows.filter({ hasText: old }).getByText('Revoked').waitFor();
  await rows.filter({ hasText: file.key_id }).getByText('Active').waitFor();
});

test('VX2: without a role it has the basic methods only', async () => {
  const page = await w.as(superAdmin(), '/service-accounts');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Without a role it may call the basic methods only').waitFor();
  await saved(page, () => dialog.getByRole('button', { name: 'Generate key' }).click());
  await page.getByText('account:read, service_status:read').waitFor();
  const { body } = await w.api<{ roles: unknown[] }>(
    page,
    'GET',
    `/v1/service-accounts/${page.url().match(/sva_\w+/)![0]}`,
  );
  expect(body.roles).toEqual([]);
});

test('VX6: account API keys stand in their own card, marked deprecated', async () => {
  const page = await w.as(superAdmin(), '/service-accounts');
  const card = page.getByRole('region', { name: 'Account API keys' });
  await card.getByText('Deprecated', { exact: true }).waitFor();
  await card.getByText('Account API keys are deprecated. Use a service account for anything new.').waitFor();
  const billing = seeded('Legacy billing');
  await card.getByText('Legacy billing').waitFor();
  expect(await card.innerText()).toContain(`account_id=${w.server.tenant('VX').account_id} api_key=clv_ak_`);
  expect(await page.content()).not.toContain(billing.key);

  await card.getByRole('button', { name: 'Actions for Legacy billing' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const alert = page.getByRole('alertdialog', { name: 'Delete “Legacy billing”?' });
  await expectAccessible(page);
  await alert.getByRole('button', { name: 'Delete account API key' }).click();
  await card.getByText('Legacy billing').waitFor({ state: 'detached' });
  expect((await w.api(page, 'GET', `/v1/account-keys/${billing.id}`)).body).toMatchObject({ state: 'revoked' });

  // Who may not manage them sees nothing of them.
  const ben = await w.as(admin(), '/service-accounts');
  await ben.getByRole('link', { name: 'Scenario runner' }).waitFor();
  expect(await ben.getByText('Account API key').count()).toBe(0);
});

test('VX7: roles come and go at once; nobody gives a role with more than they hold', async () => {
  const page = await w.as(admin(), `/service-accounts/${seeded('Archive, this quarter').owner}`);
  await page.getByRole('button', { name: 'Add role' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'Role' }).click();
  const most = page.getByRole('option', { name: /^Super Admin/ });
  await most.getByText('which you do not have there').waitFor();
  expect(await most.getAttribute('data-combobox-disabled')).toBe('true');
  await page.getByRole('option', { name: /^Analyst/ }).click();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Add role' }).click();
  await page.getByText('Role added').waitFor();
  await page.getByRole('button', { name: 'Take Analyst away' }).click();
  const away = page.getByRole('alertdialog').getByRole('button', { name: 'Take role away' });
  await away.waitFor();
  await expectAccessible(page);
  await away.click();
  await page.getByRole('button', { name: 'Take Analyst away' }).waitFor({ state: 'detached' });
});

test('an account is edited, suspended, resumed and deleted', async () => {
  const page = await w.as(superAdmin(), '/service-accounts');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Description').fill('Short life');
  await saved(page, () => dialog.getByRole('button', { name: 'Generate key' }).click());
  await page.getByRole('heading', { level: 1, name: /Short life/ }).waitFor();
  await page.getByRole('button', { name: 'Edit' }).click();
  await dialog.getByLabel('Description').waitFor();
  await expectAccessible(page);
  await dialog.getByLabel('Description').fill('Shorter life');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: /Shorter life/ }).waitFor();

  await page.getByRole('button', { name: 'Suspend' }).click();
  const suspend = page.getByRole('alertdialog').getByRole('button', { name: 'Suspend service account' });
  await suspend.waitFor();
  await expectAccessible(page);
  await suspend.click();
  await page.getByText('The account is suspended, so no key can be generated. Resume it first.').waitFor();
  expect(await page.getByRole('button', { name: 'Generate key' }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Suspend' }).waitFor();

  await page.getByRole('button', { name: 'Delete service account' }).click();
  const remove = page.getByRole('alertdialog').getByRole('button', { name: 'Delete service account' });
  await remove.waitFor();
  await expectAccessible(page);
  await remove.click();
  await page.waitForURL(/\/service-accounts$/);
  await page.getByRole('link', { name: 'Scenario runner' }).waitFor();
  expect(await page.getByRole('link', { name: 'Shorter life' }).count()).toBe(0);
});

test('who may not has no entry, no page, and no answer', async () => {
  const yuki = await w.as(analyst(), '/service-accounts');
  await yuki.getByText('A Super Admin can give you “Service accounts”.').waitFor();
  expect(await nav(yuki).getByRole('link', { name: 'Service accounts' }).count()).toBe(0);
  expect((await w.api(yuki, 'GET', '/v1/service-accounts')).status).toBe(403);
  expect((await w.api(yuki, 'GET', '/v1/account-keys')).status).toBe(403);
});

test('the pages fit a phone', async () => {
  const page = await w.as(superAdmin(), '/service-accounts', { width: 390, height: 844 });
  await page.getByRole('list', { name: 'Service accounts' }).getByText('Scenario runner').click();
  await page.getByRole('heading', { level: 1, name: /Scenario runner/ }).waitFor();
  await page.getByText('Call an API with this account').waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(page);
});
