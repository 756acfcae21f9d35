import { createSign } from 'node:crypto';
import fs from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();
const admin = () => w.server.user('VX', 'Super Admin');

interface KeyFile {
  account_id: number;
  key_id: string;
  private_key: string;
}

/** Presses a button and answers the file that the browser saves. */
async function saved(page: Page, press: () => Promise<void>): Promise<KeyFile> {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  return JSON.parse(fs.readFileSync(await download.path(), 'utf8')) as KeyFile;
}

/** A token as a program makes it with the file. */
function token({ account_id, key_id, private_key }: KeyFile): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', kid: key_id })}.${part({ iss: account_id, iat: now, exp: now + 600 })}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(private_key).toString('base64url')}`;
}

const good = (file: KeyFile, more = {}) => w.verify({ credential: token(file), ...more });

/** A new account with one key, open in the console. */
async function account(size?: { width: number; height: number }): Promise<{ page: Page; first: KeyFile }> {
  const page = await w.as(admin(), '/service-accounts', size);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const first = await saved(page, () => page.getByRole('dialog').getByRole('button', { name: 'Generate key' }).click());
  await page.getByText(first.key_id, { exact: true }).waitFor();
  return { page, first };
}

async function rotate(page: Page, old: KeyFile, choose?: (dialog: ReturnType<Page['getByRole']>) => Promise<void>) {
  await page.getByRole('button', { name: `Rotate ${old.key_id}` }).click();
  const dialog = page.getByRole('dialog', { name: `Rotate key ${old.key_id.slice(0, 8)}…?` });
  await dialog.getByRole('radio', { name: 'It is time for a new one' }).waitFor();
  await choose?.(dialog);
  await expectAccessible(page);
  return saved(page, () => dialog.getByRole('button', { name: 'Rotate key' }).click());
}

const rotation = (page: Page, old: KeyFile) =>
  page.getByRole('dialog', { name: `Rotation of “Key ${old.key_id.slice(0, 8)}…”` });
const row = (page: Page, file: KeyFile) => page.getByRole('row').filter({ hasText: file.key_id });

test('B3 VX1: a second key pair; both work, and who still uses the old one is shown until it is ended', async () => {
  const { page, first } = await account();
  const second = await rotate(page, first, async (dialog) => {
    await dialog.getByRole('combobox', { name: 'The key before' }).click();
    await page.getByRole('option', { name: 'Works for another day' }).click();
  });
  expect(Object.keys(second).sort()).toEqual(['account_email', 'account_id', 'key_id', 'private_key']);
  expect(second.key_id).not.toBe(first.key_id);
  const follow = rotation(page, first);
  await follow.getByText(/Old and new work\. The old key stops working/).waitFor();
  await follow.getByText(`service-account-${second.key_id.slice(0, 8)}.json`).waitFor();
  await follow.getByText('Nobody has used the old one since the rotation.', { exact: false }).waitFor();
  await expectAccessible(page);
  expect(await page.content()).not.toContain('PRIVATE KEY');
  const by = { source_ip: '192.0.2.9', user_agent: 'caller/4' };
  expect(await good(first, by)).toMatchObject({ valid: true });
  expect(await good(second)).toMatchObject({ valid: true });
  await follow.getByRole('row').filter({ hasText: 'caller/4' }).waitFor({ timeout: 40_000 });

  await follow.getByRole('button', { name: 'End it now' }).click();
  const end = page.getByRole('alertdialog', { name: /^End the old key of/ });
  await end.getByText('by caller/4 from 192.0.2.9').waitFor();
  await end.getByRole('button', { name: 'End it now' }).click();
  await page.getByText('Rotation finished').waitFor();
  await row(page, first).getByText('Revoked').waitFor();
  expect(await good(first)).toMatchObject({ valid: false });
  expect(await good(second)).toMatchObject({ valid: true });
}, 90_000);

test('B3 VX1: the key that takes the place of one is rolled back from the account’s page', async () => {
  const { page, first } = await account();
  const second = await rotate(page, first);
  await rotation(page, first).getByRole('button', { name: 'Let it end by itself' }).click();
  await row(page, first).getByText('Rotating').waitFor();
  expect(await page.getByRole('button', { name: `Rotate ${first.key_id}` }).count()).toBe(0);
  await page.getByText(`Your browser saved service-account-${second.key_id.slice(0, 8)}.json`).waitFor();
  await page.getByRole('button', { name: `Who still uses ${first.key_id}` }).click();
  await rotation(page, first).getByRole('button', { name: 'Roll back' }).click();
  const back = page.getByRole('alertdialog', { name: /^Roll back the rotation of/ });
  await back.getByText('the old key works again as long as it would have', { exact: false }).waitFor();
  await expectAccessible(page);
  await back.getByRole('button', { name: 'Yes, roll back' }).click();
  await page.getByText('Rotation rolled back').waitFor();
  await row(page, second).getByText('Revoked').waitFor();
  await page.getByText('Your browser saved').waitFor({ state: 'detached' });
  expect(await good(second)).toMatchObject({ valid: false });
  expect(await good(first)).toMatchObject({ valid: true });
});

test('B3 VX1: a key that others may know ends at once, also on a phone in the dark', async () => {
  const { page, first } = await account({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  const second = await rotate(page, first, (dialog) =>
    dialog.getByRole('radio', { name: 'Others may know the key' }).check(),
  );
  await row(page, first).getByText('Revoked').waitFor();
  expect(await page.getByRole('dialog').count()).toBe(0);
  expect(await good(first)).toMatchObject({ valid: false });
  expect(await good(second)).toMatchObject({ valid: true });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(page);
});

test('B3 VX6: an account key gets a new secret; both work, and its card leads to who still uses the old one', async () => {
  const page = await w.as(admin(), '/service-accounts');
  const { name, key: old } = w.server.tenant('VX').credentials.find((c) => c.name === 'Legacy dialler')!;
  const card = page.getByRole('region', { name: 'Account API keys' });
  const choice = (label: string) => page.getByRole('menuitem', { name: label });
  const actions = async () => {
    await card.getByRole('button', { name: `Actions for ${name}` }).click();
    await choice('Rotate').waitFor();
  };
  await actions();
  expect(await choice('Who still uses the old key').count()).toBe(0);
  await choice('Rotate').click();
  const why = page.getByRole('dialog', { name: `Rotate “${name}”?` });
  await why.getByRole('radio', { name: 'It is time for a new one' }).waitFor();
  expect(await why.getByRole('combobox', { name: 'The key before' }).inputValue()).toBe('Works for another 7 days');
  await expectAccessible(page);
  await why.getByRole('button', { name: 'Rotate' }).click();
  const shown = page.getByRole('dialog', { name: 'New account API key' });
  const fresh = await shown.locator('[data-secret]').innerText();
  expect(fresh).toMatch(/^clv_ak_/);
  expect(fresh).not.toBe(old);
  await expectAccessible(page);
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  const follow = page.getByRole('dialog', { name: `Rotation of “${name}”` });
  await follow.getByText(/Old and new work\. The old key stops working in 7 days/).waitFor();
  await expectAccessible(page);
  expect(await traces(page)).not.toContain(fresh);
  for (const credential of [old, fresh]) expect(await w.verify({ credential })).toMatchObject({ valid: true });
  await follow.getByRole('button', { name: 'Let it end by itself' }).click();
  await follow.waitFor({ state: 'detached' });

  // Later the card still knows of the old one.
  await page.reload();
  await card.getByText(`api_key=${fresh.slice(0, 11)}…${fresh.slice(-4)}`).waitFor();
  await card.getByRole('listitem').filter({ hasText: name }).getByText('Rotating').waitFor();
  await actions();
  await choice('Who still uses the old key').click();
  await follow.getByText(/Old and new work\. The old key stops working in 7 days/).waitFor();
  await follow.getByRole('button', { name: 'End it now' }).click();
  const end = page.getByRole('alertdialog', { name: `End the old key of “${name}”?` });
  await end.getByRole('button', { name: 'End it now' }).click();
  await page.getByText('Rotation finished').waitFor();
  expect(await w.verify({ credential: old })).toMatchObject({ valid: false, code: 'NOT_FOUND' });
  expect(await w.verify({ credential: fresh })).toMatchObject({ valid: true });
  await end.waitFor({ state: 'detached' });
  await actions();
  expect(await choice('Who still uses the old key').count()).toBe(0);
});
