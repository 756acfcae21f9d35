import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { keysPage, traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();
const mara = () => w.server.user('PV', 'Super Admin');

/** Makes a key as the person and rotates it in the dialogue, with 7 days to change over. */
async function rotated(page: Page, name: string) {
  const { body } = await w.api<{ id: string; key: string }>(page, 'POST', '/v1/api-keys', { name });
  await page.goto(`${w.server.demo.url}${keysPage}/${body.id}`);
  await page.getByRole('button', { name: 'Rotate' }).click();
  const why = page.getByRole('dialog', { name: `Rotate “${name}”?` });
  await why.getByRole('radio', { name: 'It is time for a new one' }).waitFor();
  expect(await why.getByRole('combobox', { name: 'The key before' }).inputValue()).toBe('Works for another 7 days');
  await expectAccessible(page);
  await why.getByRole('button', { name: 'Rotate API key' }).click();
  const shown = page.getByRole('dialog', { name: 'API key rotated' });
  const fresh = await shown.locator('[data-secret]').innerText();
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  const follow = page.getByRole('dialog', { name: `Rotation of “${name}”` });
  await follow.getByText(/Old and new work\. The old key stops working in 7 days/).waitFor();
  expect(await traces(page)).not.toContain(fresh);
  return { id: body.id, old: body.key, fresh, follow };
}

test('B3: why, the new secret, who still uses the old one, and its end', async () => {
  const page = await w.as(mara(), keysPage);
  const { old, fresh, follow } = await rotated(page, 'report server');
  await follow.getByText('Nobody has used the old one since the rotation.', { exact: false }).waitFor();
  await expectAccessible(page);
  for (const credential of [old, fresh]) {
    const verdict = await w.verify({ credential, source_ip: '192.0.2.7', user_agent: 'report-sync/2.1' });
    expect(verdict).toMatchObject({ valid: true });
  }
  // It appears by itself.
  const used = follow.getByRole('row').filter({ hasText: 'report-sync/2.1' });
  await used.waitFor({ timeout: 40_000 });
  expect(await used.innerText()).toMatch(/192\.0\.2\.7[\s\S]*1$/);
  await expectAccessible(page);
  await follow.getByRole('button', { name: 'End it now' }).click();
  const end = page.getByRole('alertdialog', { name: 'End the old key of “report server”?' });
  await end.getByText('by report-sync/2.1 from 192.0.2.7').waitFor();
  await expect
    .poll(() => end.getByRole('button', { name: 'Cancel' }).evaluate((e) => e === document.activeElement))
    .toBe(true);
  await expectAccessible(page);
  await end.getByRole('button', { name: 'End it now' }).click();
  await page.getByText('Rotation finished').waitFor();
  expect(await w.verify({ credential: old })).toMatchObject({ valid: false, code: 'NOT_FOUND' });
  expect(await w.verify({ credential: fresh })).toMatchObject({ valid: true });
  await page.getByText('The old key works until').waitFor({ state: 'detached' });
}, 90_000);

test('B3: a rotation is left to itself, and rolled back later from the key’s page', async () => {
  const page = await w.as(mara(), keysPage);
  const { old, fresh, follow } = await rotated(page, 'lost on the way');
  await follow.getByRole('button', { name: 'Let it end by itself' }).click();
  await follow.waitFor({ state: 'detached' });
  await page.getByText('The old key works until').waitFor();
  await page.getByRole('button', { name: 'Who still uses it' }).focus();
  await page.keyboard.press('Enter');
  await follow.getByRole('button', { name: 'Roll back' }).click();
  const back = page.getByRole('alertdialog', { name: 'Roll back the rotation of “lost on the way”?' });
  await back.getByText('calls with the new key fail for good', { exact: false }).waitFor();
  await expectAccessible(page);
  await back.getByRole('button', { name: 'Yes, roll back' }).click();
  await page.getByText('Rotation rolled back').waitFor();
  expect(await w.verify({ credential: fresh })).toMatchObject({ valid: false, code: 'NOT_FOUND' });
  expect(await w.verify({ credential: old })).toMatchObject({ valid: true });
});

test('B3: what others may know ends at once', async () => {
  const page = await w.as(mara(), keysPage);
  const { body } = await w.api<{ id: string; key: string }>(page, 'POST', '/v1/api-keys', { name: 'pasted in a chat' });
  await page.goto(`${w.server.demo.url}${keysPage}/${body.id}`);
  await page.getByRole('button', { name: 'Rotate' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rotate “pasted in a chat”?' });
  await dialog.getByRole('radio', { name: 'Others may know the key' }).check();
  await dialog.getByText('fail until you put the new one into them', { exact: false }).waitFor();
  expect(await dialog.getByRole('combobox').count()).toBe(0);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Rotate API key' }).click();
  await page.getByRole('dialog', { name: 'API key rotated' }).getByRole('button', { name: 'I have saved it' }).click();
  expect(await w.verify({ credential: body.key })).toMatchObject({ valid: false, code: 'NOT_FOUND' });
  expect(await page.getByRole('dialog').count()).toBe(0);
});

test('B3: on a phone, and in the dark, the dialogue fits', async () => {
  const page = await w.as(mara(), keysPage, { width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  const { follow } = await rotated(page, 'pocket');
  const box = (await follow.boundingBox())!;
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(390);
  await expectAccessible(page);
});
