import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

test('a changed password ends the other sessions, and only those', async () => {
  const person = w.server.user('NV', 'Agent');
  const other = await w.as(person, '/profile');
  const page = await w.as(person, '/profile');
  await page.getByText('This device').waitFor();
  await expectAccessible(page);
  await page.getByRole('textbox', { name: 'Present password' }).fill('not the right one');
  await page.getByRole('textbox', { name: 'New password', exact: true }).fill('another good password');
  await page.getByRole('textbox', { name: 'The new password again' }).fill('another bad password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('This is not the same password').waitFor();
  await page.getByRole('textbox', { name: 'The new password again' }).fill('another good password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.locator('[data-error], [role=alert]').first().waitFor();
  await page.getByRole('textbox', { name: 'Present password' }).fill(person.password);
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Password changed').waitFor();
  expect(await page.getByRole('textbox', { name: 'Present password' }).inputValue()).toBe('');
  expect((await w.api(page, 'GET', '/v1/me')).status).toBe(200);
  expect((await w.api(other, 'GET', '/v1/me')).status).toBe(401);
});

test('sessions: one is this device, the others can be ended', async () => {
  const person = w.server.user('NV', 'Super Admin');
  const first = await w.as(person, '/profile');
  const second = await w.as(person, '/profile');
  const page = await w.as(person, '/profile');
  const rows = page.getByRole('listitem').filter({ hasText: 'last used' });
  await rows.nth(2).waitFor();
  expect(await rows.filter({ hasText: 'This device' }).count()).toBe(1);
  await page
    .getByRole('button', { name: /^End the session in / })
    .first()
    .click();
  await page.getByRole('alertdialog').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'End session', exact: true }).click();
  await page.getByText('1 session ended').waitFor();
  await expect.poll(() => rows.count()).toBe(2);
  const ended = [await w.api(first, 'GET', '/v1/me'), await w.api(second, 'GET', '/v1/me')].map((r) => r.status);
  expect(ended.sort()).toEqual([200, 401]);
  const third = await w.as(person, '/profile');
  await page.reload();
  await page.getByRole('button', { name: 'End all others' }).click();
  await page.getByRole('button', { name: 'End sessions', exact: true }).click();
  await page.getByText('2 sessions ended').waitFor();
  expect((await w.api(third, 'GET', '/v1/me')).status).toBe(401);
  expect((await w.api(page, 'GET', '/v1/me')).status).toBe(200);
});

test('single-key shortcuts can be turned off, and the colours chosen', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/profile');
  const keys = page.getByRole('switch', { name: 'Single-key shortcuts' });
  await keys.waitFor();
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await keys.click();
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('?');
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Go to…' }).waitFor();
  expect(await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).count()).toBe(0);
  await page.keyboard.press('Escape');
  await page.getByText('Dark', { exact: true }).click();
  await expect.poll(() => page.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark');
  await expectAccessible(page);
});
