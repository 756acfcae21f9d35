import fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { world } from './world';

const w = world();
const out = path.resolve(import.meta.dirname, '../shots');
const only = process.env.ONLY?.split(',');

type Prepare = (page: Page) => Promise<unknown>;
interface Shot {
  name: string;
  who: 'nobody' | 'system' | ['PV' | 'NV' | 'VX' | 'EE' | 'VC', string];
  at: string | (() => string);
  then?: Prepare;
  /** The whole page, however long. */
  whole?: boolean;
}

const first: Prepare = async (page) => {
  const list = page.url();
  await page.locator('table.dt tbody tr .keyname, .plist .pbody').first().click();
  await page.waitForURL((url) => url.toString() !== list);
  await page.locator('.cardb').first().waitFor();
};
const press =
  (name: string | RegExp): Prepare =>
  (page) =>
    page.getByRole('button', { name }).first().click();

const each =
  (...steps: Prepare[]): Prepare =>
  async (page) => {
    for (const step of steps) await step(page);
  };
const pick =
  (box: string | RegExp, option: string | RegExp): Prepare =>
  async (page) => {
    await page.getByRole('combobox', { name: box }).first().click();
    await page.getByRole('option', { name: option }).first().click();
  };
const seen =
  (text: string | RegExp): Prepare =>
  (page) =>
    page.getByText(text).first().waitFor();

/** Opens what is called so, in the list or on the tree. */
const open =
  (name: string): Prepare =>
  (page) =>
    page.getByText(name, { exact: true }).filter({ visible: true }).first().click();

const makeWebhook: Prepare = async (page) => {
  await press('Create webhook')(page);
  await page.getByRole('textbox', { name: 'Name' }).fill('Ticket desk');
  await page.getByRole('textbox', { name: 'Address' }).fill('https://hooks.example.com/claviger');
};

const submitWebhook: Prepare = (page) =>
  page.getByRole('dialog').getByRole('button', { name: 'Create webhook' }).click();

const file = [
  'Label,User,Token',
  'Old reports,mara.lindt,1a0364b9e99bb480dd25e1f0284c8551',
  'Old export,tom.okafor,2a0364b9e99bb480dd25e1f0284c8552',
  'Whose,nobody.at.all,3a0364b9e99bb480dd25e1f0284c8553',
  'From a form,noor.haddad,opensesame42',
].join('\n');
const chooseFile: Prepare = (page) =>
  page.locator('input[type=file]').setInputFiles({ name: 'keys.csv', mimeType: 'text/csv', buffer: Buffer.from(file) });

/** As if the plan did not include API access. */
const withoutAccess: Prepare = async (page) => {
  await page.route('**/v1/api-keys?*', (route) =>
    route.fulfill({
      status: 403,
      contentType: 'application/problem+json',
      body: JSON.stringify({ status: 403, code: 'plan_without_api_access', title: 'Forbidden', detail: '' }),
    }),
  );
  await page.reload();
  await page.getByText('Your plan does not include API access').waitFor();
};

const tenantOf = (model: 'PV' | 'VX') => w.server.tenant(model).id;

const admin = (model: 'PV' | 'NV' | 'VX' | 'EE' | 'VC', role = 'Super Admin') =>
  [model, role] as [typeof model, string];

const shots: Shot[] = [
  { name: 'sign-in', who: 'nobody', at: '/sign-in' },
  { name: 'api-keys', who: admin('PV'), at: '/settings/api-keys' },
  { name: 'api-keys-organization', who: admin('NV', 'Customer Administrator'), at: '/settings/api-keys' },
  { name: 'api-keys-create', who: admin('PV'), at: '/settings/api-keys', then: press('Create API Key') },
  { name: 'api-keys-no-match', who: admin('PV'), at: '/settings/api-keys?q=zzzz' },
  { name: 'api-key', who: admin('PV'), at: '/settings/api-keys', then: first },
  { name: 'apps', who: admin('EE'), at: '/apps' },
  { name: 'app', who: admin('EE'), at: '/apps', then: first },
  { name: 'service-accounts', who: admin('VX'), at: '/service-accounts' },
  { name: 'service-account', who: admin('VX'), at: '/service-accounts', then: first },
  { name: 'api-credentials', who: admin('VC', 'Admin'), at: '/api-credentials' },
  { name: 'api-credential', who: admin('VC', 'Admin'), at: '/api-credentials', then: first },
  { name: 'users', who: admin('PV'), at: '/users' },
  { name: 'user', who: admin('PV'), at: '/users', then: first },
  { name: 'roles', who: admin('PV'), at: '/roles' },
  { name: 'role', who: admin('PV'), at: '/roles', then: first },
  { name: 'organizations', who: admin('NV'), at: '/organizations' },
  { name: 'usage', who: admin('PV'), at: '/usage' },
  { name: 'audit-log', who: admin('PV'), at: '/audit-log' },
  {
    name: 'audit-log-event',
    who: admin('PV'),
    at: '/audit-log',
    then: (page) => page.locator('table.dt .keyname, .plist .pbody').first().click(),
  },
  {
    name: 'audit-log-choices',
    who: admin('PV'),
    at: '/audit-log',
    then: (page) => page.getByRole('combobox', { name: 'What' }).click(),
  },
  { name: 'settings', who: admin('PV'), at: '/settings', whole: true },
  { name: 'policy', who: admin('PV'), at: '/settings/policy', whole: true },
  {
    name: 'policy-preview',
    who: admin('PV'),
    at: '/settings/policy',
    then: each(
      (page) => page.getByRole('textbox', { name: 'User key: longest life in days' }).fill('60'),
      (page) => page.getByRole('textbox', { name: 'Suspend after idle days' }).fill('30'),
      press('Review and save'),
      (page) => page.getByRole('dialog', { name: 'Save the policy' }).waitFor(),
    ),
  },
  { name: 'webhooks', who: admin('VX'), at: '/settings/webhooks' },
  { name: 'webhooks-new', who: admin('VX'), at: '/settings/webhooks', then: makeWebhook },
  {
    name: 'webhook-secret',
    who: admin('VX'),
    at: '/settings/webhooks',
    then: each(makeWebhook, submitWebhook, seen('I have saved it')),
  },
  {
    name: 'webhook',
    who: admin('VX'),
    at: '/settings/webhooks',
    then: each(open('Ticket desk'), press('Send a test'), seen('Test')),
    whole: true,
  },
  { name: 'import', who: admin('PV'), at: '/settings/import' },
  {
    name: 'import-checked',
    who: 'system',
    at: () => `/settings/import?tenant=${tenantOf('PV')}`,
    then: each(chooseFile, press('Check the file'), seen('What would happen')),
    whole: true,
  },
  {
    name: 'api-key-weak',
    who: 'system',
    at: () => `/settings/import?tenant=${tenantOf('PV')}`,
    then: each(
      chooseFile,
      (page) => page.getByRole('checkbox', { name: 'Accept weak keys' }).check(),
      press('Check the file'),
      seen('What would happen'),
      press(/^Import \d/),
      seen('What was imported'),
      (page) => page.goto(`${w.server.demo.url}/settings/api-keys?tenant=${tenantOf('PV')}&q=old`),
      seen('Old reports'),
    ),
  },
  {
    name: 'api-key-rotate',
    who: admin('PV'),
    at: '/settings/api-keys?q=chat',
    then: each(first, press('Rotate'), seen('It is time for a new one')),
  },
  {
    name: 'api-key-rotated',
    who: admin('PV'),
    at: '/settings/api-keys?q=chat',
    then: each(first, press('Rotate'), press('Rotate API key'), press('I have saved it'), seen('Let it end by itself')),
  },
  {
    name: 'api-key-roll-back',
    who: admin('PV'),
    at: '/settings/api-keys?q=chat',
    then: each(first, press('Who still uses it'), press('Roll back'), seen('Yes, roll back')),
  },
  {
    name: 'api-key-revoke',
    who: admin('PV'),
    at: '/settings/api-keys?q=nightly',
    then: each(first, press('Revoke'), seen('Yes, revoke API key')),
  },
  {
    name: 'service-account-rotate',
    who: admin('VX'),
    at: '/service-accounts',
    then: each(first, press(/^Rotate [0-9a-f]{8}-/), seen('It is time for a new one')),
  },
  {
    name: 'service-account-rotated',
    who: admin('VX'),
    at: '/service-accounts',
    then: each(first, press(/^Rotate [0-9a-f]{8}-/), press('Rotate key'), seen('Let it end by itself')),
  },
  { name: 'service-account-after', who: admin('VX'), at: '/service-accounts', then: first, whole: true },
  {
    name: 'user-suspend',
    who: admin('PV'),
    at: '/users?q=noor',
    then: each(first, press('Suspend'), seen('Suspend user')),
  },
  {
    name: 'user-delete',
    who: admin('VC', 'Admin'),
    at: '/users?q=julia',
    then: each(first, press('Delete user'), pick(/^What becomes of/, 'Hand over')),
  },
  { name: 'users-invite', who: admin('PV'), at: '/users', then: press('Invite user') },
  { name: 'roles-new', who: admin('PV'), at: '/roles', then: press('Create role') },
  { name: 'apps-create', who: admin('EE'), at: '/apps', then: press('Create app') },
  { name: 'no-permission', who: admin('VX', 'Analyst'), at: '/service-accounts' },
  { name: 'not-found', who: admin('PV'), at: '/settings/api-keys/crd_AAAAAAAAAAAA' },
  { name: 'plan-gate', who: admin('PV'), at: '/settings/api-keys', then: withoutAccess },
  { name: 'profile', who: admin('PV'), at: '/profile' },
  { name: 'tenants', who: 'system', at: '/tenants' },
  { name: 'tenant', who: 'system', at: '/tenants', then: first },
  { name: 'plans', who: 'system', at: '/plans' },
  { name: 'api-catalogue', who: 'system', at: '/api-catalogue' },
  { name: 'help', who: 'nobody', at: '/help' },
  { name: 'help-page', who: 'nobody', at: '/help/console/api-keys' },
  { name: 'reference', who: 'nobody', at: '/reference' },
  {
    name: 'go-to',
    who: admin('PV'),
    at: '/settings/api-keys',
    then: async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: /^Go to/ }).fill('a');
    },
  },
  { name: 'scope', who: 'system', at: '/tenants', then: press(/^Organization:/) },
];

const sizes = [
  { suffix: '1440', size: { width: 1440, height: 900 } },
  { suffix: '390', size: { width: 390, height: 844 } },
];

test('pictures of every page', async () => {
  fs.mkdirSync(out, { recursive: true });
  for (const shot of shots) {
    if (only && !only.includes(shot.name)) continue;
    const at = typeof shot.at === 'string' ? shot.at : shot.at();
    for (const { suffix, size } of sizes) {
      const page =
        shot.who === 'nobody'
          ? await w.open(at, size)
          : await w.as(shot.who === 'system' ? w.server.demo.system_admin : w.server.user(...shot.who), at, size);
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
        if (scheme === 'light') {
          await page.waitForLoadState('networkidle');
          try {
            await shot.then?.(page);
          } catch (error) {
            process.stdout.write(`${shot.name} ${suffix}: ${(error as Error).message.split('\n')[0]}\n`);
          }
          await page.waitForLoadState('networkidle');
        }
        // Colours change over a frame or two.
        await page.waitForTimeout(200);
        await page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished)));
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) process.stdout.write(`${shot.name} ${suffix}: ${over} px too wide\n`);
        await page.screenshot({ path: path.join(out, `${shot.name}-${suffix}-${scheme}.png`), fullPage: shot.whole });
      }
      await page.context().close();
    }
  }
});
