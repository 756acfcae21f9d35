import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { world } from './world';

// The whole way on PostgreSQL, as an installation begins: the first administrator, a
// customer, their administrator, a key, and its end.
const postgres = process.env.CLAVIGER_TEST_POSTGRES ?? '';
if (postgres === '' && process.env.CLAVIGER_TEST_REQUIRE) throw new Error('CLAVIGER_TEST_POSTGRES is not set');

const name = `console_${process.pid}`;
const database = () => {
  const made = spawnSync('psql', [postgres, '-qc', `CREATE DATABASE ${name}`], { encoding: 'utf8' });
  expect(made.stderr).toBe('');
  const url = new URL(postgres);
  url.pathname = `/${name}`;
  return url.toString();
};

// Evaluated once, before the server starts.
const flags = postgres === '' ? [] : ['--database', database()];

test.skipIf(postgres === '').sequential('from the first administrator to a revoked key, on PostgreSQL', async () => {
  const link = w.server.run('first-admin', '--data', w.server.data, ...flags, '--public-url', w.server.demo.url);
  const first = /\/first-admin#token=\S+/.exec(link)![0];
  const operator = await w.open(first);
  await operator.getByLabel('User name').fill('root');
  await operator.getByRole('textbox', { name: 'Password', exact: true }).fill('a long enough password 1');
  await operator.getByRole('textbox', { name: 'The same password again' }).fill('a long enough password 1');
  expect(operator.url()).not.toContain('token');
  await operator.getByRole('button', { name: 'Create administrator and sign in' }).click();
  await operator.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Tenants' }).waitFor();

  type Made = { id: string; root_organization_id: string };
  const plan = await w.api<Made>(operator, 'POST', '/v1/plans', {
    key: 'full',
    name: 'Full',
    api_access: true,
    permissions: ['*:*'],
  });
  const tenant = await w.api<Made>(operator, 'POST', '/v1/tenants', {
    slug: 'harbour',
    name: 'Harbour Desk',
    plan_id: plan.body.id,
  });
  expect(tenant.status).toBe(201);
  const at = `?tenant_id=${tenant.body.id}`;
  const invited = await w.api<{ user: Made; invitation: { url: string } }>(operator, 'POST', `/v1/users${at}`, {
    organization_id: tenant.body.root_organization_id,
    username: 'ada',
    display_name: 'Ada Brandt',
  });
  const roles = await w.api<{ items: { id: string; built_in?: string }[] }>(operator, 'GET', `/v1/roles${at}`);
  const assigned = await w.api(operator, 'POST', `/v1/assignments${at}`, {
    principal_id: invited.body.user.id,
    role_id: roles.body.items.find((role) => role.built_in === 'super_admin')!.id,
    organization_id: tenant.body.root_organization_id,
  });
  expect(assigned.status).toBe(201);

  const ada = await w.open(new URL(invited.body.invitation.url).pathname + new URL(invited.body.invitation.url).hash);
  await ada.getByRole('textbox', { name: 'Password', exact: true }).fill('another long password 2');
  await ada.getByRole('textbox', { name: 'The same password again' }).fill('another long password 2');
  await ada.getByRole('button', { name: 'Set password and sign in' }).click();
  await ada.getByRole('heading', { name: 'API Keys', level: 1 }).waitFor();
  await ada.getByText('No API keys yet').waitFor();
  await ada.getByRole('button', { name: 'Create API Key' }).first().click();
  await ada.getByRole('dialog').getByLabel('Name').fill('nightly report');
  await ada.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  const created = ada.getByRole('dialog', { name: 'API key created' });
  const key = (await created.locator('[data-secret]').first().innerText()).trim();
  await created.getByRole('button', { name: 'I have saved it' }).click();

  const verifier = await w.api<{ key: string }>(operator, 'POST', '/v1/verifier-keys', { name: 'gateway' });
  w.server.demo.verifier_key = verifier.body.key;
  expect(await w.verify({ credential: key })).toMatchObject({ valid: true, code: 'VALID' });
  await ada.getByRole('button', { name: 'Actions for nightly report' }).click();
  await ada.getByRole('menuitem', { name: 'Revoke' }).click();
  await ada.getByRole('button', { name: 'Yes, revoke API key' }).click();
  await ada.getByRole('alertdialog').waitFor({ state: 'detached' });
  expect(await w.verify({ credential: key })).toMatchObject({ valid: false, code: 'REVOKED' });
});

const w = world({ command: 'serve', flags: () => flags });
