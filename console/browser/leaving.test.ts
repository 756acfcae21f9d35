import { expect, test, vi } from 'vitest';
import { traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();

vi.setConfig({ testTimeout: 90_000 });

const idOf = (model: 'PV' | 'VC', username: string) =>
  w.server.tenant(model).users.find((u) => u.username === username)!.id;

test('a key of one who leaves goes to who is there: the old secret fails at once, the new one is shown once', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), `/users/${idOf('PV', 'noor.haddad')}`);
  const key = w.server.tenant('PV').credentials.find((c) => c.name === 'Power BI dashboards')!;
  await page.getByRole('button', { name: 'Suspend' }).click();
  const dialog = page.getByRole('alertdialog');
  const row = dialog.getByRole('listitem').filter({ hasText: 'Power BI dashboards' });
  await row.getByText('User key').waitFor();
  await row.getByRole('combobox').click();
  await page.getByRole('option', { name: 'Hand over' }).click();
  // Without somebody to get it nothing can be confirmed.
  expect(await dialog.getByRole('button', { name: 'Suspend user' }).isDisabled()).toBe(true);
  const owner = dialog.getByRole('combobox', { name: 'New owner' });
  await owner.fill('eva');
  const eva = page.getByRole('option', { name: /^Eva Soto/ });
  await eva.getByText(/may not have API keys/).waitFor();
  expect(await eva.getAttribute('data-combobox-disabled')).not.toBeNull();
  await expectAccessible(page);
  await owner.fill('mara');
  await page.getByRole('option', { name: /^Mara Lindt/ }).click();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Suspend user' }).click();

  const done = page.getByRole('alertdialog', { name: 'Noor Haddad suspended' });
  const secret = await done.locator('[data-secret]').innerText();
  expect(secret).toMatch(/^clv_uk_/);
  await expectAccessible(page);
  await page.keyboard.press('Escape'); // it is held
  await done.getByRole('button', { name: 'Copy Key “Power BI dashboards”' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await done.getByRole('button', { name: 'I have saved it' }).click();
  await done.waitFor({ state: 'hidden' });
  expect(await traces(page)).not.toContain(secret.slice(-20));
  expect((await w.verify({ credential: key.key })).valid).toBe(false);
  expect((await w.verify({ credential: secret })).valid).toBe(true);
  const now = await w.api<{ owner: { id: string }; secret_version: number }>(page, 'GET', `/v1/api-keys/${key.id}`);
  expect(now.body).toMatchObject({ owner: { id: idOf('PV', 'mara.lindt') }, secret_version: 2 });
  await page.getByRole('button', { name: 'Resume' }).waitFor();
});

test('VC5: all API credentials of one who is deleted are decided about, and go to who may have them', async () => {
  const id = idOf('VC', 'julia.brandt');
  const owned = w.server.tenant('VC').credentials.filter((c) => c.owner === id);
  const coaching = owned.find((c) => c.name === 'Sales coaching')!;
  const campaign = owned.find((c) => c.name === 'Paused campaign')!;
  const page = await w.as(w.server.user('VC', 'Super Admin'), `/users/${id}`);
  await page.getByRole('button', { name: 'Delete user' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Delete “Julia Brandt”?' });
  const choose = async (name: string, what: string) => {
    await dialog.getByRole('combobox', { name: `What becomes of ${name}` }).click();
    await page.getByRole('option', { name: what, exact: true }).click();
  };
  await choose('Sales coaching', 'Hand over');
  const owner = dialog.getByRole('combobox', { name: 'New owner' });
  await owner.click();
  await page.getByRole('option', { name: /^Omar Aziz/ }).click();
  await dialog.getByRole('button', { name: 'Delete user' }).click();
  // One was not decided about.
  const refusal = dialog.getByRole('alert');
  await refusal.getByRole('link', { name: 'Paused campaign' }).waitFor();
  await expectAccessible(page);
  await choose('Paused campaign', 'Revoke');
  await dialog.getByRole('button', { name: 'Delete user' }).click();
  const done = page.getByRole('alertdialog', { name: 'Julia Brandt deleted' });
  await done.getByText('Omar Aziz has 1 credential more now.').waitFor();
  await expectAccessible(page);
  await done.getByRole('button', { name: 'Done' }).click();
  await page.waitForURL(/\/users$/);

  const kept = await w.api<{ owner: { id: string }; client_id: string; secret_version: number }>(
    page,
    'GET',
    `/v1/client-credentials/${coaching.id}`,
  );
  expect(kept.body).toMatchObject({
    owner: { id: idOf('VC', 'omar.aziz') },
    client_id: coaching.client_id,
    secret_version: 2,
  });
  const ended = await w.api<{ state: string }>(page, 'GET', `/v1/client-credentials/${campaign.id}`);
  expect(ended.body.state).toBe('revoked');
  expect((await w.api(page, 'GET', `/v1/users/${id}`)).status).toBe(404);

  // The new owner gets a new secret for it.
  const theirs = await w.as(w.server.user('VC', 'Supervisor'), `/api-credentials/${coaching.id}`);
  await theirs.getByRole('button', { name: /Rotate/ }).waitFor();
});

test('keys are suspended with their user, by the keyboard and on a phone', async () => {
  const page = await w.as(w.server.user('VC', 'Super Admin'), `/users/${idOf('VC', 'omar.aziz')}`, {
    width: 390,
    height: 844,
  });
  await page.getByRole('button', { name: 'Suspend' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Suspend “Omar Aziz”?' });
  await dialog.getByRole('list', { name: 'Credentials' }).waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement!.textContent)).toBe('Cancel');
  await expectAccessible(page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await dialog.getByRole('button', { name: 'Suspend', exact: true }).press('Enter');
  await dialog.getByRole('button', { name: 'Suspend user' }).press('Enter');
  await page.getByText('User suspended').waitFor();
  const list = await w.api<{ items: { state: string }[] }>(
    page,
    'GET',
    `/v1/client-credentials?owner_id=${idOf('VC', 'omar.aziz')}&state=living`,
  );
  expect(list.body.items.length).toBeGreaterThan(0);
  expect(new Set(list.body.items.map((c) => c.state))).toEqual(new Set(['suspended']));
});
