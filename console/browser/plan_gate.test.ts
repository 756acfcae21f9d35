import { expect, test } from 'vitest';
import { expectAccessible, world } from './world';

const w = world();

const pages = [
  { model: 'EE', path: '/apps', things: 'apps', make: /^Create app/i, right: 'Super Admin' },
  { model: 'VX', path: '/service-accounts', things: 'service accounts', make: /^Add$/, right: 'Super Admin' },
  { model: 'VC', path: '/api-credentials', things: 'API credentials', make: /^Create/, right: 'Super Admin' },
] as const;

test.each(pages)('PV4: $path says that the plan has no API access, and how to get it', async (of) => {
  const operator = await w.as(w.server.demo.system_admin, '/');
  const plans = await w.api<{ items: { id: string; key: string }[] }>(operator, 'GET', '/v1/plans');
  const tenant = w.server.tenant(of.model);
  const before = await w.api<{ plan_id: string }>(operator, 'GET', `/v1/tenants/${tenant.id}`);
  const plan = (id: string) => w.api(operator, 'PATCH', `/v1/tenants/${tenant.id}`, { plan_id: id });
  const page = await w.as(w.server.user(of.model, of.right), of.path);
  await page.getByRole('button', { name: of.make }).first().waitFor();
  try {
    expect((await plan(plans.body.items.find((p) => p.key === 'starter')!.id)).status).toBe(200);
    await page.reload();
    await page.getByRole('heading', { name: 'Your plan does not include API access' }).waitFor();
    await expect
      .poll(() => page.locator('main').innerText())
      .toMatch(
        new RegExp(
          `${tenant.name} is on the Starter plan\\. With a plan that includes API access you can create ${of.things} here`,
        ),
      );
    expect(await page.getByRole('button', { name: of.make }).count()).toBe(0);
    expect(await page.getByRole('table').count()).toBe(0);
    await expectAccessible(page);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    await page.getByRole('button', { name: 'Ask for API access' }).click();
    await page.getByText(/You asked for API access/).waitFor();
    expect(await page.getByRole('button', { name: 'Ask for API access' }).count()).toBe(0);
  } finally {
    await plan(before.body.plan_id);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.reload();
  await page.getByRole('button', { name: of.make }).first().waitFor();
});
