import { makeKeys } from './keys';
import {
  type Prepare,
  first,
  press,
  each,
  pick,
  seen,
  write,
  open,
  makeWebhook,
  submitWebhook,
  chooseFile,
  withoutAccess,
  admin,
  failing,
  waiting,
  away,
  tick,
  selectAll,
  stepUp,
  refused,
  partly,
} from './shot_steps';
import type { Server } from './world';

/** How large a screen is. */
export interface Size {
  suffix: '1440' | '390' | '2560';
  size: { width: number; height: number };
}

export const sizes: readonly Size[] = [
  { suffix: '1440', size: { width: 1440, height: 900 } },
  { suffix: '390', size: { width: 390, height: 844 } },
  { suffix: '2560', size: { width: 2560, height: 1440 } },
];

export interface Shot {
  name: string;
  who: 'nobody' | 'system' | ['PV' | 'NV' | 'VX' | 'EE' | 'VC', string];
  at: string | (() => string);
  then?: Prepare;
  /** The whole page, however long. */
  whole?: boolean;
  /** Absent: on a screen of 1440 px and on a phone. */
  on?: readonly Size['suffix'][];
}

/** Every page and every dialogue. Later ones stand on what those before have made. */
export function shots(server: Server): Shot[] {
  const tenantOf = (model: 'PV' | 'VX') => server.tenant(model).id;
  return [
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
      then: async (page) => {
        const filters = page.getByRole('button', { name: 'Filters' }); // on phones they are behind it
        if (await filters.isVisible()) await filters.click();
        await page.getByRole('combobox', { name: 'What' }).click();
      },
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
        (page) => page.goto(`${server.demo.url}/settings/api-keys?tenant=${tenantOf('PV')}&q=old`),
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
      then: each(
        first,
        press('Rotate'),
        press('Rotate API key'),
        press('I have saved it'),
        seen('Let it end by itself'),
      ),
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
    {
      name: 'sign-in-refused',
      who: 'nobody',
      at: '/sign-in',
      then: each(
        write('Company', 'northwind'),
        write('User name', 'mara.lindt'),
        (page) => page.getByLabel('Password', { exact: true }).fill('not this one'),
        press('Sign in'),
        (page) => page.getByRole('alert').waitFor(),
      ),
    },
    { name: 'sign-in-missing', who: 'nobody', at: '/sign-in', then: press('Sign in') },
    { name: 'invitation', who: 'nobody', at: '/invitation#token=inv_x' },
    { name: 'invitation-broken', who: 'nobody', at: '/invitation' },
    { name: 'first-admin', who: 'nobody', at: '/first-admin#token=x' },
    { name: 'no-page', who: admin('PV'), at: '/nothing/at/all' },
    {
      name: 'api-keys-failed',
      who: admin('PV'),
      at: '/settings/api-keys',
      then: each(failing('**/v1/api-keys?*'), seen('The keys could not be loaded.')),
    },
    { name: 'api-keys-loading', who: admin('PV'), at: '/settings/api-keys', then: waiting('**/v1/api-keys?*') },
    { name: 'api-keys-away', who: admin('PV'), at: '/settings/api-keys', then: away },
    { name: 'api-keys-wide', who: admin('PV'), at: '/settings/api-keys', on: ['2560'] },
    { name: 'api-keys-ended', who: admin('PV'), at: '/settings/api-keys?state=revoked' },
    { name: 'api-keys-expiring', who: admin('PV'), at: '/settings/api-keys?expiring=30' },
    {
      name: 'api-keys-selected',
      who: admin('PV'),
      at: '/settings/api-keys',
      then: each(tick('CRM synchronization'), tick('Old dialler')),
    },
    {
      name: 'api-keys-bulk',
      who: admin('PV'),
      at: '/settings/api-keys',
      then: each(
        tick('CRM synchronization'),
        tick('Old dialler'),
        press('Delete 2 keys'),
        seen('Used in the last 7 days'),
      ),
    },
    { name: 'api-keys-bulk-part', who: admin('PV'), at: '/settings/api-keys', then: partly },
    { name: 'api-keys-actions', who: admin('PV'), at: '/settings/api-keys', then: press('Actions for Old dialler') },
    { name: 'api-keys-filters', who: admin('PV'), at: '/settings/api-keys', then: press('Filters'), on: ['390'] },
    { name: 'api-keys-none', who: 'system', at: '/settings/api-keys' },
    { name: 'navigation', who: admin('PV'), at: '/settings/api-keys', then: press('Open navigation'), on: ['390'] },
    { name: 'account-menu', who: admin('PV'), at: '/settings/api-keys', then: press(/^Account:/) },
    {
      name: 'shortcuts',
      who: admin('PV'),
      at: '/settings/api-keys',
      then: each(
        (page) => page.getByText(/keys$/).first().waitFor(),
        (page) => page.keyboard.press('?'),
      ),
    },
    {
      name: 'api-keys-created',
      who: admin('PV'),
      at: '/settings/api-keys',
      then: each(press('Create API Key'), write('Name', 'Weekly figures'), press('Save'), seen('I have saved it')),
    },
    {
      name: 'api-keys-name-missing',
      who: admin('PV'),
      at: '/settings/api-keys',
      then: each(press('Create API Key'), press('Save'), seen('Enter a name')),
    },
    {
      name: 'api-key-new-secret',
      who: admin('PV'),
      at: '/settings/api-keys?q=nightly',
      then: each(first, press('Rotate'), press('Rotate API key'), seen('I have saved it')),
    },
    {
      name: 'api-key-organization',
      who: admin('NV', 'Customer Administrator'),
      at: '/settings/api-keys?q=reading',
      then: first,
      whole: true,
    },
    { name: 'api-key-ended', who: admin('PV'), at: '/settings/api-keys?state=revoked&q=laptop', then: first },
    {
      name: 'api-key-limits',
      who: admin('NV', 'Customer Administrator'),
      at: '/settings/api-keys?q=reading',
      then: each(first, (page) =>
        page.getByRole('region', { name: 'Networks and limits' }).getByRole('button').first().click(),
      ),
    },
    { name: 'step-up', who: admin('EE'), at: '/apps', then: each(first, stepUp) },
    {
      name: 'apps-create-no-storage',
      who: ['EE', 'Company Admin'],
      at: '/apps',
      then: each(press('Create app'), seen('You need the Storage API assignment')),
    },
    {
      name: 'apps-created',
      who: admin('EE'),
      at: '/apps',
      then: each(
        press('Create app'),
        write('Name', 'Night figures'),
        (page) => page.getByLabel('Customer Experience Recent Calls', { exact: true }).check(),
        press('Save'),
        seen('I have saved it'),
      ),
    },
    {
      name: 'app-changed',
      who: admin('EE'),
      at: '/apps',
      then: each(first, (page) => page.getByLabel('Contact Center Chat', { exact: true }).click()),
      whole: true,
    },
    {
      name: 'app-delete',
      who: admin('EE'),
      at: '/apps',
      then: each(first, press('Delete app'), seen('Its key is revoked')),
    },
    { name: 'service-accounts-add', who: admin('VX'), at: '/service-accounts', then: press('Add') },
    {
      name: 'service-account-jwt',
      who: admin('VX'),
      at: '/service-accounts',
      then: each(first, seen('Call an API with this account'), (page) => page.getByRole('tab', { name: 'Go' }).click()),
      whole: true,
    },
    {
      name: 'service-account-revoke',
      who: admin('VX'),
      at: '/service-accounts',
      then: each(first, press(/^Revoke [0-9a-f]{8}-/), seen('Yes, revoke key')),
    },
    {
      name: 'api-credentials-accounts',
      who: admin('VC', 'Admin'),
      at: '/api-credentials',
      then: (page) => page.getByRole('tab', { name: 'Accounts' }).click(),
    },
    {
      name: 'api-credentials-create',
      who: admin('VC', 'Admin'),
      at: '/api-credentials',
      then: press(/^Create$/),
    },
    {
      name: 'api-credentials-created',
      who: admin('VC', 'Admin'),
      at: '/api-credentials',
      then: each(
        press(/^Create$/),
        write('Name', 'Shift planner'),
        (page) => page.getByRole('dialog').getByRole('checkbox').nth(1).check(),
        (page) =>
          page
            .getByRole('dialog')
            .getByRole('button', { name: /^Create$/ })
            .click(),
        seen('I have saved it'),
      ),
    },
    {
      name: 'api-credentials-delete',
      who: admin('VC', 'Admin'),
      at: '/api-credentials',
      then: each(first, press('Delete API credentials'), (page) => page.getByRole('alertdialog').waitFor()),
    },
    {
      name: 'user-hand-over',
      who: admin('PV'),
      at: '/users?q=noor',
      then: each(
        first,
        press('Suspend'),
        pick(/^What becomes of/, 'Hand over'),
        (page) => page.getByRole('combobox', { name: 'New owner' }).fill('eva'),
        seen('may not have API keys'),
      ),
    },
    {
      name: 'user-handed-over',
      on: ['1440'],
      who: admin('PV'),
      at: '/users?q=tom',
      then: each(
        first,
        press('Suspend'),
        pick(/^What becomes of/, 'Hand over'),
        (page) => page.getByRole('combobox', { name: 'New owner' }).fill('mara'),
        (page) => page.getByRole('option', { name: /^Mara Lindt/ }).click(),
        press('Suspend user'),
        seen('I have saved it'),
      ),
    },
    { name: 'user-add-role', who: admin('PV'), at: '/users?q=noor', then: each(first, press('Add role')) },
    { name: 'organization', who: admin('NV'), at: '/organizations', then: open('Radiology') },
    { name: 'organization-add', who: admin('NV'), at: '/organizations', then: press('Add organization') },
    {
      name: 'organization-remove',
      who: admin('NV'),
      at: '/organizations',
      then: each(open('Radiology'), press('Remove')),
    },
    { name: 'webhook-refused', who: admin('VX'), at: '/settings/webhooks', then: refused },
    {
      name: 'webhook-again',
      who: admin('VX'),
      at: '/settings/webhooks',
      then: each(open('Ticket desk'), press(/^Send again since/)),
    },
    { name: 'tenants-create', who: 'system', at: '/tenants', then: press('Create tenant') },
    { name: 'plans-create', who: 'system', at: '/plans', then: press('Create plan') },
    { name: 'api-catalogue-edit', who: 'system', at: '/api-catalogue', then: press('Add API') },
    {
      name: 'help-search',
      who: 'nobody',
      at: '/help',
      then: each(
        (page) => page.getByRole('combobox', { name: 'Search the documentation' }).fill('rotate a key'),
        (page) => page.getByRole('option').first().waitFor(),
      ),
    },
    { name: 'help-no-page', who: 'nobody', at: '/help/console/nothing-like-it' },
    { name: 'help-tokens', who: 'nobody', at: '/help/oauth' },
    { name: 'profile-end-session', who: admin('PV'), at: '/profile', then: press('End all others') },
    {
      name: 'api-keys-bulk-typed',
      who: admin('PV'),
      at: '/settings/api-keys?q=kiosk',
      then: each(
        async (page) => {
          await makeKeys(page, 25, 'Kiosk');
          await page.reload();
          await page
            .getByText(/^Kiosk 0/)
            .first()
            .waitFor();
        },
        selectAll,
        press(/^Delete \d+ keys/),
        seen('Used in the last 7 days'),
      ),
    },
  ];
}
