import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

test('signing in leads to the page that was asked for, signing out to the door', async () => {
  const page = await w.open('/settings/api-keys?q=bi');
  await page.waitForURL(/\/sign-in/);
  await expectAccessible(page);
  const admin = w.server.user('PV', 'Super Admin');
  await page.getByLabel('Company').fill(admin.tenant);
  await page.getByLabel('User name').fill(admin.username);
  await page.getByRole('textbox', { name: 'Password' }).fill(admin.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(/\/settings\/api-keys\?q=bi/);
  await page.getByRole('heading', { level: 1, name: 'API Keys' }).waitFor();
  expect(await page.title()).toBe(`API Keys · ${w.server.tenant('PV').name} · Claviger`);
  await page.getByRole('button', { name: /^Account:/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(/\/sign-in/);
  expect((await w.api(page, 'GET', '/v1/me')).status).toBe(401);
});

test('who comes without a session meets the door, and no request is refused on the way', async () => {
  const page = await w.open('/sign-in');
  const refused: string[] = [];
  page.on('response', (response) => {
    if (response.status() >= 400) refused.push(response.url());
  });
  for (const path of ['/users', '/sign-in', '/help']) {
    await page.goto(w.server.demo.url + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
  }
  expect(refused).toEqual([]);
});

test('a wrong password is told without saying which part was wrong', async () => {
  const page = await w.open('/sign-in');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Enter your password').waitFor();
  await page.getByLabel('Company').fill('nobody');
  await page.getByLabel('User name').fill('nobody');
  await page.getByRole('textbox', { name: 'Password' }).fill('not-this-one-surely');
  await page.getByRole('button', { name: 'Sign in' }).click();
  const alert = await page.getByRole('alert').innerText();
  await expectAccessible(page);
  expect(alert).not.toContain('nobody');
  expect(await page.getByRole('textbox', { name: 'Password' }).inputValue()).toBe('');
});

test('another site cannot be the page after signing in', async () => {
  const page = await w.open('/sign-in?next=//example.com/');
  const admin = w.server.user('PV', 'Super Admin');
  await page.getByLabel('Company').fill(admin.tenant);
  await page.getByLabel('User name').fill(admin.username);
  await page.getByRole('textbox', { name: 'Password' }).fill(admin.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(/\/settings\/api-keys/);
});

test('links that are not whole, and addresses without a page, say so', async () => {
  const page = await w.open('/invitation');
  await page.getByRole('heading', { name: 'This link is not whole' }).waitFor();
  await expectAccessible(page);
  for (const at of ['/invitation', '/first-admin']) {
    await page.goto('about:blank'); // so that another fragment is another visit
    await page.goto(`${w.server.demo.url}${at}#token=not-a-good-one`);
    await page.getByRole('textbox', { name: 'The same password again' }).waitFor();
    await expectAccessible(page);
    expect(page.url()).not.toContain('token');
  }
  await page.goto(`${w.server.demo.url}/nothing/at/all`);
  await page.getByRole('heading', { name: 'There is no page at this address' }).waitFor();
  await expectAccessible(page);
});
