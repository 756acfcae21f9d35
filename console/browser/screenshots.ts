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
  at: string;
  then?: Prepare;
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
  { name: 'settings', who: admin('PV'), at: '/settings' },
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
    for (const { suffix, size } of sizes) {
      const page =
        shot.who === 'nobody'
          ? await w.open(shot.at, size)
          : await w.as(shot.who === 'system' ? w.server.demo.system_admin : w.server.user(...shot.who), shot.at, size);
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
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) process.stdout.write(`${shot.name} ${suffix}: ${over} px too wide\n`);
        await page.screenshot({ path: path.join(out, `${shot.name}-${suffix}-${scheme}.png`) });
      }
      await page.context().close();
    }
  }
});
