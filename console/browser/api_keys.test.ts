import { expect, test } from 'vitest';
import { act, column, keysPage, makeKeys, row, traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();
const mara = () => w.server.user('PV', 'Super Admin');
const tom = () => w.server.user('PV', 'Admin');
const eva = () => w.server.user('PV', 'Agent');
const living = (model: 'PV' | 'NV') =>
  w.server
    .tenant(model)
    .credentials.filter((c) => c.state === 'active' || c.state === 'suspended' || c.state === 'rotating');

const folded = (list: string[]) => list.map((s) => s.toLowerCase());
const sorted = (list: string[]) => [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

test('PV6, NV9: the table lists all keys of the account, by name', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  await row(page, 'New call centre').getByText('Not yet valid').waitFor();
  expect(await page.locator('table.dt thead th').allInnerTexts()).toEqual(
    expect.arrayContaining([
      'Name',
      'Organization',
      'Owner',
      'Expiration date',
      'Created by',
      'Key',
      'Last used',
      'Actions',
    ]),
  );
  expect(await page.locator('th', { hasText: 'Name' }).getAttribute('aria-sort')).toBe('ascending');
  const names = (await column(page, 'Name')).map((n) => n.split('\n')[0]!);
  expect(folded(names)).toEqual(sorted(folded(names)));
  const { body } = await w.api<{ count: number }>(page, 'GET', '/v1/api-keys/count?state=living');
  expect(names.length).toBe(body.count);
  expect(names.length).toBeGreaterThanOrEqual(Math.min(5, living('PV').length));
  expect(await page.getByRole('toolbar', { name: 'Selection' }).innerText()).toBe(`${body.count} keys`);
  for (const key of await column(page, 'Key')) expect(key).toMatch(/^clv_uk_\w{4}…\w{4}$/);
  expect(await page.title()).toBe(`API Keys · ${w.server.tenant('PV').name} · Claviger`);
  await expectAccessible(page);
});

test('NV9: each heading sorts, both ways, in the address', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  for (const [title, sort] of [
    ['Organization', 'organization'],
    ['Owner', 'owner'],
    ['Created by', 'created_by'],
  ] as const) {
    const heading = page.getByRole('columnheader', { name: title }).getByRole('button');
    await heading.click();
    await page.waitForURL(new RegExp(`sort=${sort}`));
    await expect.poll(async () => folded(await column(page, title))).toEqual(sorted(folded(await column(page, title))));
    await heading.click();
    await page.waitForURL(new RegExp(`sort=-${sort}`));
    await expect
      .poll(async () => folded(await column(page, title)))
      .toEqual(sorted(folded(await column(page, title))).reverse());
    expect(await page.getByRole('columnheader', { name: title }).getAttribute('aria-sort')).toBe('descending');
  }
  await page.getByRole('columnheader', { name: 'Expiration date' }).getByRole('button').click();
  await page.waitForURL(/sort=expires_at/);
  await expect.poll(async () => (await column(page, 'Expiration date'))[0]).toMatch(/in \d+ days|tomorrow/);
  await page.getByRole('columnheader', { name: 'Last used' }).getByRole('button').click();
  await page.waitForURL(/sort=last_used_at/);
  await page.goBack();
  await page.waitForURL(/sort=expires_at/);
});

test('the page asks for its keys once, by whichever way one comes', async () => {
  const page = await w.as(mara(), '/profile');
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname, search, searchParams } = new URL(request.url());
    // Those that only count, for the banner and the filter, ask for one.
    if (pathname === '/v1/api-keys' && searchParams.get('limit') !== '1') asked.push(search);
  });
  const once = async (...parts: string[]) => {
    await row(page, 'CRM synchronization').waitFor();
    // How many there are soon is asked for when the keys are here.
    await page.getByRole('button', { name: /[1-9]\d* expires? within 30 days/ }).waitFor();
    expect(asked).toEqual([expect.stringContaining('limit=50')]);
    for (const part of parts) expect(asked[0]).toContain(part);
    asked.length = 0;
  };
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).click();
  await once('state=living', 'sort=name');
  await page.goto(w.server.demo.url + keysPage);
  await page.getByText('“CRM synchronization” expires').waitFor();
  await once('state=living', 'sort=name');
  await page.goto(`${w.server.demo.url}${keysPage}?q=tom&state=active&sort=-owner`);
  await once('state=active', 'search=tom', 'sort=owner', 'order=desc');
  await page.goto(`${w.server.demo.url}${keysPage}?expiring=30`);
  await once('expiring_before=');
});

test('back from a key’s page the list is as it was left', async () => {
  const page = await w.as(mara(), keysPage);
  const names = async () => (await column(page, 'Name')).map((n) => n.split('\n')[0]!);
  const state = page.getByRole('combobox', { name: 'State' });
  const search = page.getByRole('searchbox', { name: 'Search keys' });
  const heading = page.getByRole('columnheader', { name: 'Expiration date' });
  await row(page, 'Nightly report export').waitFor();
  await state.click();
  await page.getByRole('option', { name: 'Active', exact: true }).click();
  await page.waitForURL(/state=active/);
  await heading.getByRole('button').click();
  await page.waitForURL(/sort=expires_at/);
  await search.fill('tom');
  await page.waitForURL(/q=tom/);
  await row(page, 'Nightly report export').waitFor({ state: 'detached' });
  await expect.poll(() => page.locator('.tbl[data-fetching]').count()).toBe(0);
  const left = page.url();
  const shown = await names();
  expect(shown[0]).toBe('CRM synchronization'); // the first to expire
  expect(shown).toContain('Recording archive');
  expect(shown).not.toContain('Old dialler');

  await row(page, 'Recording archive').getByRole('link', { name: 'Recording archive' }).click();
  await page.waitForURL(/\/settings\/api-keys\/crd_/);
  await page.getByRole('heading', { level: 1, name: /Recording archive$/ }).waitFor();
  await page.goBack();
  await page.waitForURL((url) => url.href === left);
  await row(page, 'CRM synchronization').waitFor();
  await expect.poll(names).toEqual(shown);
  expect(await state.inputValue()).toBe('Active');
  expect(await search.inputValue()).toBe('tom');
  expect(await heading.getAttribute('aria-sort')).toBe('ascending');
});

test('PV4, NV1: who may not has neither the entry nor the page', async () => {
  const page = await w.as(eva(), '/');
  await page.getByRole('button', { name: /^Account:/ }).waitFor();
  expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
  await page.goto(w.server.demo.url + keysPage);
  await page.getByText('You do not have access to this page.').waitFor();
  expect(await page.locator('main').innerText()).toContain('“Grant access to API keys generation”');
  expect(await page.getByRole('button', { name: 'Create API Key' }).count()).toBe(0);
  await expectAccessible(page);

  // A Customer Administrator further down, and one of the whole tenant.
  const nv = w.server.tenant('NV');
  const root = nv.organizations.find((o) => !o.parent_id)!.id;
  const admins = nv.users.filter((u) => u.role === 'Customer Administrator');
  const deeper = await w.as({ ...admins.find((u) => u.organization_id !== root)!, tenant: nv.slug }, '/');
  await deeper.getByRole('link', { name: 'Users' }).waitFor();
  expect(await deeper.getByRole('link', { name: 'API keys' }).count()).toBe(0);
  await deeper.goto(w.server.demo.url + keysPage);
  await deeper.getByText('You do not have access to this page.').waitFor();
  const top = await w.as({ ...admins.find((u) => u.organization_id === root)!, tenant: nv.slug }, keysPage);
  await row(top, 'All workstations').waitFor();
});

test('PV7: creating asks for a name, and shows everything once', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Create API Key' });
  await dialog.waitFor();
  await expectAccessible(page);
  // The owner is whoever creates it.
  expect(await dialog.getByLabel('Owner').count()).toBe(0);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Enter a name').waitFor();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('power-bi-weekly');
  await page.keyboard.press('Enter');
  const shown = page.getByRole('dialog', { name: 'API key created' });
  await shown.waitFor();
  const text = await shown.innerText();
  expect(text).toContain(
    'This key is shown only now. Claviger keeps no copy of it. If it is lost, create another and revoke this one.',
  );
  expect(text).toContain(mara().id);
  expect(text).toContain('Never');
  const key = await shown.locator('[data-secret]').innerText();
  expect(key).toMatch(/^clv_uk_/);
  expect(await shown.locator('pre').innerText()).not.toContain(key);
  await expectAccessible(page);

  // It stays open until the person says so.
  await page.keyboard.press('Escape');
  expect(await shown.isVisible()).toBe(true);
  const asked: string[] = [];
  page.on('dialog', (d) => {
    asked.push(d.message());
    void d.dismiss();
  });
  await page.evaluate(() => history.back());
  await expect.poll(() => asked.length).toBe(1);
  expect(await shown.isVisible()).toBe(true);
  const copy = shown.getByRole('button', { name: 'Copy API key' });
  await expect.poll(() => copy.evaluate((e) => e === document.activeElement)).toBe(true);
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  expect(await w.verify({ id: mara().id, secret: key })).toMatchObject({ valid: true });
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await shown.waitFor({ state: 'detached' });
  await row(page, 'power-bi-weekly').waitFor();
  expect(await traces(page)).not.toContain(key);
});

test('PV7: only operators name another owner', async () => {
  const pv = w.server.tenant('PV');
  const page = await w.as(w.server.demo.system_admin, `${keysPage}?tenant=${pv.id}`);
  await row(page, 'Nightly report export').waitFor();
  await page.getByRole('button', { name: 'Create API Key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create API Key' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('made for Tom');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Choose whose key it is').waitFor();
  await dialog.getByRole('combobox', { name: 'Owner' }).fill('tom');
  await page.getByRole('option', { name: /Tom/i }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  const shown = page.getByRole('dialog', { name: 'API key created' });
  await shown.getByText(tom().id, { exact: true }).waitFor();
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await row(page, 'made for Tom').waitFor();
});

test('PV8: only the name of a user’s key can be edited', async () => {
  const page = await w.as(mara(), keysPage);
  await makeKeys(page, 1, 'misnamed');
  await page.reload();
  await act(page, 'misnamed 000', 'Edit');
  const dialog = page.getByRole('dialog', { name: 'Rename “misnamed 000”' });
  await dialog.waitFor();
  expect(await dialog.getByRole('textbox').count()).toBe(1);
  await expectAccessible(page);
  await dialog.getByRole('textbox', { name: 'Name' }).fill('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Enter a name').waitFor();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('well named');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row(page, 'well named').waitFor();
  expect(await row(page, 'misnamed 000').count()).toBe(0);
  await dialog.waitFor({ state: 'detached' });
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.closest('tr')?.textContent))
    .toContain('well named');
});

test('PV9: revoking asks, and then calls fail', async () => {
  const page = await w.as(mara(), keysPage);
  const { body } = await w.api<{ key: string }>(page, 'POST', '/v1/api-keys', { name: 'to be revoked' });
  await page.reload();
  await act(page, 'to be revoked', 'Revoke');
  const dialog = page.getByRole('alertdialog', { name: 'Revoke “to be revoked”?' });
  await dialog.getByText('As soon as you confirm, calls with this key fail. This cannot be undone.').waitFor();
  await dialog.getByText('It has never been used.').waitFor();
  await expect
    .poll(() => dialog.getByRole('button', { name: 'Cancel' }).evaluate((e) => e === document.activeElement))
    .toBe(true);
  await expectAccessible(page);
  expect(await w.verify({ credential: body.key })).toMatchObject({ valid: true });
  await dialog.getByRole('button', { name: 'Yes, revoke API key' }).click();
  await page.getByText('API key revoked', { exact: true }).waitFor();
  await expect.poll(() => row(page, 'to be revoked').count()).toBe(0);
  expect(await w.verify({ credential: body.key })).toMatchObject({ valid: false, code: 'REVOKED' });
  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'Revoked' }).click();
  await page.waitForURL(/state=revoked/);
  expect(await row(page, 'to be revoked').innerText()).toContain('Revoked');
});

test('PV9: what is in use says so and offers a rotation instead', async () => {
  const page = await w.as(mara(), keysPage);
  const { body } = await w.api<{ key: string; id: string }>(page, 'POST', '/v1/api-keys', { name: 'in use' });
  for (let i = 0; i < 3; i++) await w.verify({ credential: body.key });
  await expect
    .poll(
      async () =>
        (await w.api<{ items: unknown[] }>(page, 'GET', `/v1/usage?credential_id=${body.id}&by=hour`)).body.items
          .length,
      { timeout: 75_000, interval: 1000 },
    )
    .toBe(1);
  await page.reload();
  await act(page, 'in use', 'Revoke');
  const dialog = page.getByRole('alertdialog', { name: 'Revoke “in use”?' });
  await dialog.getByText('It is in use:').waitFor();
  expect(await dialog.innerText()).toContain('3 calls in the last 24 hours');
  await dialog.getByRole('button', { name: 'rotate it' }).click();
  const rotate = page.getByRole('dialog', { name: 'Rotate “in use”?' });
  await rotate.getByRole('button', { name: 'Rotate API key' }).click();
  const shown = page.getByRole('dialog', { name: 'API key rotated' });
  const fresh = await shown.locator('[data-secret]').innerText();
  expect(fresh).not.toBe(body.key);
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByRole('button', { name: 'Let it end by itself' }).click();
  await row(page, 'in use').getByText('Rotating').waitFor();
  expect(await w.verify({ credential: body.key })).toMatchObject({ valid: true });
  expect(await w.verify({ credential: fresh })).toMatchObject({ valid: true });
  expect(await traces(page)).not.toContain(fresh);
}, 120_000);

test('NV6: search finds parts of what is shown, never what is hidden', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  const key = w.server.tenant('PV').credentials.find((c) => c.name === 'Nightly report export')!;
  const search = page.getByRole('searchbox', { name: 'Search keys' });
  await page.keyboard.press('/');
  await expect.poll(() => search.evaluate((e) => e === document.activeElement)).toBe(true);
  for (const [text, name] of [
    ['ightly rep', 'Nightly report export'],
    ['Okafor', 'CRM synchronization'],
    ['Berlin Night', 'Wallboard'],
    [key.key!.slice(0, 11), 'Nightly report export'],
  ] as const) {
    await search.fill(text);
    await page.waitForURL((url) => url.searchParams.get('q') === text);
    await expect.poll(() => page.locator('.tbl[data-fetching]').count()).toBe(0);
    await row(page, name).waitFor();
  }
  await search.fill(key.key!.slice(24, 36));
  await page.getByText(/^No keys match “/).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await row(page, 'CRM synchronization').waitFor();
  // A key that is pasted whole is cut to its ID before it is anywhere.
  const requests: string[] = [];
  page.on('request', (r) => requests.push(r.url()));
  await search.fill(key.key!);
  await page.waitForURL((url) => url.searchParams.get('q') === key.id);
  await expect.poll(() => column(page, 'Name')).toEqual(['Nightly report export']);
  const secret = key.key!.split('_').at(-1)!;
  expect(requests.join('\n')).not.toContain(secret);
  expect(await traces(page)).not.toContain(secret);
});

test('NV7: the organization menu shows the keys at an organization and below', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  await page.getByRole('button', { name: /^Organization:/ }).click();
  await page.getByRole('option', { name: 'Berlin', exact: true }).click();
  await page.waitForURL(/org=/);
  await expect
    .poll(async () => [...new Set(await column(page, 'Organization'))].sort())
    .toEqual(['Berlin', 'Berlin Night Shift']);
  await page.getByRole('searchbox').fill('nothing like it');
  await page.getByText('No keys match “nothing like it” in Berlin.').waitFor();

  // For operators it begins with the tenants.
  const system = await w.as(w.server.demo.system_admin, keysPage);
  await system.getByText('Choose a tenant in the menu at the top to see its keys.').waitFor();
  await system.getByRole('button', { name: /^Organization:/ }).click();
  await system.getByRole('option', { name: w.server.tenant('NV').name }).click();
  await system.getByRole('option', { name: 'Radiology', exact: true }).click();
  await row(system, 'Reading room').waitFor();
  expect(await row(system, 'Operating theatres').count()).toBe(0);
});

test('filters: kinds, states, and what expires within 30 days', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'CRM synchronization').waitFor();
  const chip = page.getByRole('button', { name: /expires? within 30 days/ });
  const soon = Number.parseInt(await chip.innerText(), 10);
  await chip.click();
  await page.waitForURL(/expiring=30/);
  await expect.poll(async () => (await column(page, 'Expiration date')).length).toBe(soon);
  for (const date of await column(page, 'Expiration date')) expect(date).toMatch(/tomorrow|in \d+/);
  expect(await chip.getAttribute('aria-pressed')).toBe('true');
  await chip.click();
  await row(page, 'Nightly report export').waitFor();
  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'Suspended', exact: true }).click();
  await page.waitForURL(/state=suspended/);
  await expect.poll(() => column(page, 'Name')).toEqual([expect.stringContaining('Old dialler')]);
  expect(await row(page, 'Old dialler').innerText()).toContain('Suspended');
  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'Expired' }).click();
  await row(page, 'Spring campaign').waitFor();
  await page.goBack();
  await row(page, 'Old dialler').waitFor();
  await page.getByRole('combobox', { name: 'Kind' }).click();
  await page.getByRole('option', { name: 'Organization keys' }).click();
  await page.getByText('No keys match these filters.').waitFor();
});

test('PV4: without API access the page says so and how to get it', async () => {
  const operator = await w.as(w.server.demo.system_admin, '/');
  const plans = await w.api<{ items: { id: string; key: string }[] }>(operator, 'GET', '/v1/plans');
  const planned = (key: string) => plans.body.items.find((p) => p.key === key)!.id;
  const pv = w.server.tenant('PV');
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  const key = w.server.tenant('PV').credentials.find((c) => c.name === 'Nightly report export')!;
  try {
    await w.api(operator, 'PATCH', `/v1/tenants/${pv.id}`, { plan_id: planned('starter') });
    await page.reload();
    await page.getByRole('heading', { name: 'Your plan does not include API access' }).waitFor();
    await expect
      .poll(() => page.locator('main').innerText())
      .toMatch(
        /Northwind Voice is on the Starter plan\. With a plan that includes API access you can create keys here, and your [\d,]+ existing keys work again\./,
      );
    expect(await page.getByRole('button', { name: 'Create API Key' }).count()).toBe(0);
    expect(await page.getByRole('table').count()).toBe(0);
    await expectAccessible(page);
    expect((await w.verify({ credential: key.key })).valid).toBe(false);
    await page.getByRole('button', { name: 'Ask for API access' }).click();
    await page.getByText(/You asked for API access/).waitFor();
    expect(await page.getByRole('button', { name: 'Ask for API access' }).count()).toBe(0);
    // Operators still see the keys, and that they don't work.
    await operator.goto(`${w.server.demo.url}${keysPage}?tenant=${pv.id}`);
    await operator.getByText('does not include API access').waitFor();
    await row(operator, 'Nightly report export').waitFor();
  } finally {
    await w.api(operator, 'PATCH', `/v1/tenants/${pv.id}`, { plan_id: planned('professional') });
  }
  await page.reload();
  await row(page, 'Nightly report export').waitFor();
  expect(await w.verify({ credential: key.key })).toMatchObject({ valid: true });
});

test('nothing yet, and a failure, look different and say what to do', async () => {
  // A tenant whose credentials are of other kinds.
  const page = await w.as(w.server.user('VC', 'Super Admin'), keysPage);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  expect(await page.locator('main').innerText()).toContain(
    'A key lets a program act with your permissions. Create one, copy it into your program, and revoke it here when it is no longer needed.',
  );
  expect(await page.getByRole('button', { name: 'Create API Key' }).count()).toBe(1);
  await expectAccessible(page);
  await page.route('**/v1/api-keys?*', (route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      body: JSON.stringify({
        type: 'urn:claviger:problem:internal',
        title: 'Internal Server Error',
        status: 500,
        code: 'internal',
        detail: 'Something broke inside. It is in the server’s log.',
        request_id: 'req_test',
      }),
    }),
  );
  await page.reload();
  await page.getByText('The keys could not be loaded.').waitFor();
  expect(await page.locator('main').innerText()).toContain('req_test');
  await expectAccessible(page);
  await page.unroute('**/v1/api-keys?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
});

test('a deprecated account key is told of', async () => {
  const page = await w.as(w.server.user('VX', 'Super Admin'), keysPage);
  await page.getByText('Account API keys are deprecated. Use a service account for anything new.').waitFor();
});

test('NV5: the question mark opens this page’s documentation', async () => {
  const page = await w.as(mara(), keysPage);
  const [help] = await Promise.all([
    page.context().waitForEvent('page'),
    page.getByRole('link', { name: 'Help for this page' }).click(),
  ]);
  await help.waitForURL(/\/help\/console\/api-keys$/);
  await help.getByRole('heading', { level: 1, name: 'API keys' }).waitFor();
  expect(await page.getByRole('link', { name: 'Documentation' }).getAttribute('href')).toContain('/help');
});

test('PV5: with the right to make keys, one’s own can be changed and others’ not', async () => {
  const boss = await w.as(mara(), '/');
  const roles = await w.api<{ items: { id: string; name: string; permissions: string[] }[] }>(boss, 'GET', '/v1/roles');
  const role = roles.body.items.find((r) => r.name === 'Admin')!;
  expect(
    (
      await w.api(boss, 'PATCH', `/v1/roles/${role.id}`, {
        permissions: [...role.permissions, 'claviger.api_keys:generate'],
      })
    ).status,
  ).toBe(200);
  const page = await w.as(tom(), keysPage);
  await row(page, 'CRM synchronization').waitFor();
  const others = living('PV').find((c) => c.owner !== tom().id && c.organization_id === tom().organization_id);
  await row(page, 'CRM synchronization')
    .getByRole('button', { name: /Actions/ })
    .click();
  expect(await page.getByRole('menuitem').allInnerTexts()).toEqual(['Edit', 'Rotate', 'Revoke']);
  expect(await page.getByRole('menuitem', { name: 'Rotate' }).isEnabled()).toBe(true);
  await page.keyboard.press('Escape');
  const foreign = others?.name ?? 'Power BI dashboards';
  await row(page, foreign)
    .getByRole('button', { name: /Actions/ })
    .click();
  const edit = page.getByRole('menuitem', { name: /^Edit/ });
  await edit.waitFor();
  expect(await edit.innerText()).toContain('It is someone else’s key.');
  expect(await page.getByRole('menuitem', { name: /^Revoke/ }).isDisabled()).toBe(true);
});

test('the table by keyboard', async () => {
  const page = await w.as(mara(), keysPage);
  await row(page, 'Nightly report export').waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.closest('tr')?.rowIndex ?? -1);
  await page.keyboard.press('ArrowDown');
  await expect.poll(focused).toBe(1);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  expect(await page.locator('tbody tr').nth(1).getAttribute('aria-selected')).toBe('true');
  await page.keyboard.press('End');
  await expect.poll(focused).toBe(await page.locator('tbody tr').count());
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  await page.locator('tbody tr').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/settings\/api-keys\/crd_/);
});

test('on a phone rows are list items', async () => {
  const page = await w.as(mara(), keysPage, { width: 390, height: 844 });
  await page.getByRole('list', { name: 'API keys' }).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('dialog', { name: 'Filters' }).getByRole('combobox', { name: 'State' }).waitFor();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^CRM synchronization/ }).click();
  await page.waitForURL(/\/settings\/api-keys\/crd_/);
  await page.getByRole('heading', { level: 1 }).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
