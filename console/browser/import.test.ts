import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

const shots = process.env.CLAVIGER_SHOTS;

// Keys as another system made them: the same ones each time, and none of ours.
const key = (n: number) => `${n}a0364b9e99bb480dd25e1f0284c855${n}`;

test('PV3: keys of another system are checked, imported, and go on working', async () => {
  const tenant = w.server.tenant('PV');
  const admin = await w.as(w.server.demo.system_admin, `/tenants/${tenant.id}`);
  const super_ = w.server.user('PV', 'Super Admin');
  const page = await w.as(super_, '/settings/import');
  await page.getByText('Ask them to open a window.').waitFor();
  await expectAccessible(page);

  await admin.getByRole('button', { name: 'Let them for 7 days' }).click();
  await admin.getByRole('button', { name: 'Close now' }).waitFor();
  await expectAccessible(admin);

  await page.goto(`${w.server.demo.url}/settings`);
  await page.getByRole('link', { name: 'Import keys' }).click();
  const file = [
    'Label,User,Token',
    `Old reports,${super_.username},${key(1)}`,
    `Old export,${super_.id},${key(2)}`,
    `Whose,nobody.at.all,${key(3)}`,
    'short',
  ].join('\n');
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'keys.csv', mimeType: 'text/csv', buffer: Buffer.from(file) });
  await page.getByRole('combobox', { name: 'Owner' }).waitFor();
  expect(await page.getByRole('combobox', { name: 'Key', exact: true }).inputValue()).toBe('Token');
  await expectAccessible(page);
  const bring = page.getByRole('button', { name: /^Import \d+ keys$/ });
  expect(await bring.isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Check the file' }).click();
  await page.getByText('2 of 4 lines are good. Nothing has been imported yet. 2 would be refused.').waitFor();
  await page.getByRole('cell', { name: /There is no such user/ }).waitFor();
  await expectAccessible(page);
  if (shots) await page.screenshot({ path: `${shots}/import-1440.png`, fullPage: true });
  expect((await w.verify({ credential: key(1) })).valid).toBe(false);

  await page.getByRole('button', { name: 'Import 2 keys' }).click();
  await page.getByText('2 of 4 lines were imported. 2 were refused.').waitFor();
  expect((await w.verify({ credential: key(1) })).valid).toBe(true);
  expect((await w.verify({ id: super_.id, secret: key(2) })).valid).toBe(true);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download report' }).click();
  expect((await download).suggestedFilename()).toMatch(/^import-report-.*\.csv$/);
  if (shots) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: `${shots}/import-390.png`, fullPage: true });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: `${shots}/import-390-dark.png`, fullPage: true });
  }
});

test('PV3: imported keys are marked in the list and on their page, and weak ones stand out', async () => {
  const tenant = w.server.tenant('PV');
  const super_ = w.server.user('PV', 'Super Admin');
  const admin = await w.as(w.server.demo.system_admin, `/settings/import?tenant=${tenant.id}`);
  const begun = await w.api<{ id: string }>(admin, 'POST', `/v1/imports?tenant_id=${tenant.id}`, {
    total: 2,
    accept_weak: true,
  });
  expect(begun.status).toBe(201);
  const lines = [
    { line: 1, name: 'From the old portal', owner: super_.id, key: key(4) },
    { line: 2, name: 'From a form', owner: super_.id, key: 'opensesame42' },
  ];
  const sent = await w.api(admin, 'POST', `/v1/imports/${begun.body.id}/lines`, { lines });
  expect(sent.status).toBe(200);

  const page = await w.as(super_, '/settings/api-keys');
  const row = (name: string) => page.getByRole('row').filter({ hasText: name });
  await row('From the old portal').getByText('Imported', { exact: true }).hover();
  await page.getByRole('tooltip', { name: /Another system made this key/ }).waitFor();
  await row('From a form').getByText('Weak', { exact: true }).waitFor();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'From a form' }).click();
  await page.getByText('weaker than 112 bits', { exact: false }).first().waitFor();
  await expectAccessible(page);
  // A new secret is one of ours.
  await page.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog').getByRole('radio', { name: 'Others may know the key' }).check();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate API key' }).click();
  await page.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByText('Weak', { exact: true }).waitFor({ state: 'detached' });
});
