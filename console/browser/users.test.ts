import { expect, test, vi } from 'vitest';
import { traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();

// Whole stories, each with several people and pages.
vi.setConfig({ testTimeout: 90_000 });

const idOf = (model: 'PV' | 'VC', username: string) =>
  w.server.tenant(model).users.find((u) => u.username === username)!.id;

test('someone is invited: the link is shown once, and the person signs in with it', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/users');
  await page.getByRole('table', { name: 'Users' }).waitFor();
  await expectAccessible(page);
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Invite user' });
  await dialog.getByRole('button', { name: 'Invite user' }).click();
  await dialog.getByText('Enter a user name').waitFor();
  await dialog.getByRole('textbox', { name: 'User name' }).fill('ada.lind');
  await dialog.getByRole('textbox', { name: 'Display name' }).fill('Ada Lind');
  await dialog.getByRole('textbox', { name: 'E-mail' }).fill('ada@northwind.example');
  await dialog.getByRole('combobox', { name: 'Organization' }).click();
  await page.getByRole('option', { name: 'Lisbon' }).click();
  await dialog.getByRole('combobox', { name: 'Licence' }).click();
  await page.getByRole('option', { name: 'Agent' }).click();
  await dialog.getByRole('combobox', { name: 'Roles in Lisbon and below' }).click();
  await page.getByRole('option', { name: /^Analyst/ }).click();
  await page.getByRole('option', { name: /^Team Leader/ }).click();
  await page.keyboard.press('Escape');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Invite user' }).click();

  const shown = page.getByRole('dialog', { name: 'Ada Lind invited' });
  const link = await shown.locator('[data-secret]').innerText();
  expect(link).toContain('/invitation');
  await expectAccessible(page);
  await expect
    .poll(() => page.evaluate(() => document.activeElement!.getAttribute('aria-label')))
    .toBe('Copy Invitation link');
  // It is held: Esc does not lose the link.
  await page.keyboard.press('Escape');
  await shown.getByRole('button', { name: 'Copy Invitation link' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await shown.waitFor({ state: 'hidden' });
  expect(await traces(page)).not.toContain(link.slice(-20));

  const row = page.getByRole('row', { name: /Ada Lind/ });
  await row.getByText('Invited').waitFor();
  await row.getByText('Lisbon').waitFor();
  expect(await row.innerText()).toContain('Analyst');
  const found = await w.api<{ items: { username: string; licence: string; roles: { role_name: string }[] }[] }>(
    page,
    'GET',
    '/v1/users?search=ada.lind',
  );
  expect(found.body.items[0]).toMatchObject({ username: 'ada.lind', licence: 'agent' });
  expect(found.body.items[0]!.roles.map((r) => r.role_name).sort()).toEqual(['Analyst', 'Team Leader']);

  const theirs = await w.open(new URL(link).pathname + new URL(link).search + new URL(link).hash);
  await theirs
    .getByRole('textbox', { name: 'New password' })
    .or(theirs.locator('input[type=password]'))
    .first()
    .waitFor();
  // The link leaves the address as soon as it is opened.
  expect(theirs.url()).not.toContain('token');
  expect(await traces(theirs)).not.toContain(link.slice(-20));
  await expectAccessible(theirs);
});

test('someone is invited again: the new link sets a password and signs in, the one before no longer works', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/users');
  const lisbon = w.server.tenant('PV').organizations.find((o) => o.name === 'Lisbon')!;
  const { body } = await w.api<{ user: { id: string }; invitation: { url: string } }>(page, 'POST', '/v1/users', {
    organization_id: lisbon.id,
    username: 'ida.krog',
    display_name: 'Ida Krog',
  });
  const first = body.invitation.url;
  await page.reload();
  const row = page.getByRole('row', { name: /Ida Krog/ });
  await row.getByText('Invited').waitFor();
  await row.getByRole('button', { name: 'Actions for Ida Krog' }).click();
  await page.getByRole('menuitem', { name: 'Invite again' }).click();
  const dialog = page.getByRole('dialog', { name: 'Invite “Ida Krog” again?' });
  await dialog.getByText('Links that were given before stop working.', { exact: false }).waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Make invitation link' }).click();
  const shown = page.getByRole('dialog', { name: 'Ida Krog invited again' });
  const second = await shown.locator('[data-secret]').innerText();
  expect(second).toContain('/invitation');
  expect(second).not.toBe(first);
  await expectAccessible(page);
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await shown.waitFor({ state: 'hidden' });
  expect(await traces(page)).not.toContain(second.slice(-20));
  await row.getByText('Invited').waitFor();

  const password = 'a long enough password 3';
  const follow = async (link: string) => {
    const theirs = await w.open(new URL(link).pathname + new URL(link).hash);
    await theirs.getByRole('textbox', { name: 'Password', exact: true }).fill(password);
    await theirs.getByRole('textbox', { name: 'The same password again' }).fill(password);
    await theirs.getByRole('button', { name: 'Set password and sign in' }).click();
    return theirs;
  };
  const refusal = 'This invitation does not exist, was used already, or is too old. Ask for a new one.';
  const late = await follow(first);
  await late.getByRole('alert').getByText(refusal).waitFor();
  await expectAccessible(late);
  const theirs = await follow(second);
  await theirs.getByRole('button', { name: /^Account:/ }).waitFor();
  expect((await w.api(theirs, 'GET', '/v1/me')).body).toMatchObject({ principal: { id: body.user.id } });
  // It works once.
  await (await follow(second)).getByRole('alert').getByText(refusal).waitFor();
  await page.reload();
  await row.waitFor();
  expect(await row.getByText('Invited').count()).toBe(0);
});

test('the list searches, filters and opens; its state is in the address', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/users');
  await page.getByRole('row', { name: /Noor Haddad/ }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('noor');
  await page.waitForURL(/q=noor/);
  await page.getByRole('row', { name: /Eva Soto/ }).waitFor({ state: 'hidden' });
  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'Suspended', exact: true }).click();
  await page.getByText('No users match “noor”').waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByRole('row', { name: /Eva Soto/ }).waitFor();
  expect(page.url()).not.toContain('q=');
  await page.getByRole('row', { name: /Noor Haddad/ }).dblclick();
  await page.waitForURL(/\/users\/usr_/);
  await page.getByRole('heading', { level: 1, name: /Noor Haddad/ }).waitFor();
  await page.goBack();
  await page.getByRole('row', { name: /Eva Soto/ }).waitFor();
});

test('PV10: a suspended user’s keys stop, and the dialogue says which; resumed they work again', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), `/users/${idOf('PV', 'noor.haddad')}`);
  const tenant = w.server.tenant('PV');
  const key = tenant.credentials.find((c) => c.name === 'Power BI dashboards')!;
  const secret = { credential: key.key };
  await page.getByRole('table', { name: 'Credentials' }).getByRole('link', { name: 'Power BI dashboards' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Suspend' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Suspend “Noor Haddad”?' });
  await dialog.getByText('2 credentials of Noor Haddad').waitFor();
  await dialog.getByText('Power BI dashboards').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Suspend user' }).click();
  await page.getByText('User suspended').waitFor();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  expect((await w.api<{ state: string }>(page, 'GET', `/v1/users/${idOf('PV', 'noor.haddad')}`)).body.state).toBe(
    'suspended',
  );
  expect((await w.verify(secret)).valid).toBe(false);
  await page.getByRole('button', { name: 'Resume' }).click();
  const resume = page.getByRole('dialog').getByRole('button', { name: 'Resume user' });
  await resume.waitFor();
  await expectAccessible(page);
  await resume.click();
  await page.getByText('User resumed').waitFor();
  await page.getByRole('button', { name: 'Suspend' }).waitFor();
  expect((await w.verify(secret)).valid).toBe(true);
});

test('roles are added and taken away, each at its organization', async () => {
  const id = idOf('PV', 'eva.soto');
  const page = await w.as(w.server.user('PV', 'Super Admin'), `/users/${id}`);
  await page.getByRole('button', { name: 'Add role' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a role for Eva Soto' });
  await dialog.getByRole('combobox', { name: 'Organization' }).click();
  await page.getByRole('option', { name: 'Austin' }).click();
  await dialog.getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: /^Supervisor/ }).click();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Add role' }).click();
  const row = page.getByRole('table', { name: 'Roles' }).getByRole('row', { name: /Supervisor.*Austin/ });
  await row.waitFor();
  const held = async () =>
    (
      await w.api<{ roles: { role_name: string; organization_name: string }[] }>(page, 'GET', `/v1/users/${id}`)
    ).body.roles.map((r) => `${r.role_name} in ${r.organization_name}`);
  expect(await held()).toContain('Supervisor in Austin');
  await row.getByRole('button', { name: 'Take Supervisor away' }).click();
  const away = page.getByRole('alertdialog').getByRole('button', { name: 'Take role away' });
  await away.waitFor();
  await expectAccessible(page);
  await away.click();
  await row.waitFor({ state: 'hidden' });
  expect(await held()).not.toContain('Supervisor in Austin');
});

test('VX7: nobody gives a role with more than they hold; the reason stands beside it', async () => {
  const id = idOf('PV', 'noor.haddad');
  const page = await w.as(w.server.user('PV', 'Admin'), `/users/${id}`);
  await page.getByRole('button', { name: 'Add role' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a role for Noor Haddad' });
  await dialog.getByRole('combobox', { name: 'Role' }).click();
  const refused = page.getByRole('option', { name: /^Super Admin/ });
  await refused.getByText(/which you do not have in Berlin/).waitFor();
  expect(await refused.getAttribute('data-combobox-disabled')).not.toBeNull();
  await page.getByRole('option', { name: /^Agent/ }).click();
  await page.keyboard.press('Escape');
  const roles = await w.api<{ items: { id: string; built_in: string }[] }>(page, 'GET', '/v1/roles');
  const superAdmin = roles.body.items.find((r) => r.built_in === 'super_admin')!;
  const tried = await w.api<{ code: string }>(page, 'POST', '/v1/assignments', {
    principal_type: 'user',
    principal_id: id,
    role_id: superAdmin.id,
    organization_id: w.server.tenant('PV').users.find((u) => u.id === id)!.organization_id,
  });
  expect(tried).toMatchObject({ status: 403, body: { code: 'more_than_held' } });
});

test('VC5: who owns API credentials is not deleted; the refusal lists them with links', async () => {
  const id = idOf('VC', 'julia.brandt');
  const page = await w.as(w.server.user('VC', 'Super Admin'), `/users/${id}`);
  await page.getByRole('button', { name: 'Delete user' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Delete “Julia Brandt”?' });
  await dialog.getByRole('button', { name: 'Delete user' }).click();
  const refusal = dialog.getByRole('alert');
  await refusal.waitFor();
  const owned = w.server
    .tenant('VC')
    .credentials.filter((c) => c.owner === id && ['active', 'suspended', 'not_yet_valid'].includes(c.state));
  expect(owned.length).toBeGreaterThan(0);
  for (const c of owned) await refusal.getByRole('link', { name: c.name }).waitFor();
  await expectAccessible(page);
  expect((await w.api(page, 'GET', `/v1/users/${id}`)).status).toBe(200);
  const first = owned[0]!;
  await refusal.getByRole('link', { name: first.name }).click();
  await page.waitForURL(new RegExp(`/api-credentials/${first.id}`));

  // Without them the person can be deleted.
  for (const c of owned) expect((await w.api(page, 'DELETE', `/v1/client-credentials/${c.id}`)).status).toBe(204);
  await page.goto(`${w.server.demo.url}/users/${id}`);
  await page.getByRole('button', { name: 'Delete user' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete user' }).click();
  await page.waitForURL(/\/users$/);
  await page.getByText('User deleted').waitFor();
  await page.getByRole('row', { name: /Henri Dubois/ }).waitFor();
  expect(await page.getByRole('row', { name: /Julia Brandt/ }).count()).toBe(0);
  expect((await w.api(page, 'GET', `/v1/users/${id}`)).status).toBe(404);
});

test('details and licence are edited; a taken name is told at its field', async () => {
  const id = idOf('PV', 'lea.simon');
  const page = await w.as(w.server.user('PV', 'Super Admin'), `/users/${id}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog', { name: 'Edit Lea Simon' });
  await dialog.getByRole('textbox', { name: 'User name' }).fill('eva.soto');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Another user has this name. Choose another one.').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('textbox', { name: 'User name' }).fill('lea.simon');
  await dialog.getByRole('textbox', { name: 'Display name' }).fill('Lea Simon-Roth');
  await dialog.getByRole('combobox', { name: 'Licence' }).click();
  await page.getByRole('option', { name: 'Supervisor' }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Changes have been saved').waitFor();
  await page.getByRole('heading', { level: 1, name: /Lea Simon-Roth/ }).waitFor();
  expect((await w.api(page, 'GET', `/v1/users/${id}`)).body).toMatchObject({
    display_name: 'Lea Simon-Roth',
    username: 'lea.simon',
    licence: 'supervisor',
  });
});

test('who may only look gets no buttons, who may not look no page', async () => {
  const leader = await w.as(w.server.user('PV', 'Team Leader'), '/users');
  await leader.getByRole('row', { name: /Noor Haddad/ }).waitFor();
  expect(await leader.getByRole('button', { name: 'Invite user' }).count()).toBe(0);
  // Only what is at their place and below.
  expect(await leader.getByRole('row', { name: /Mara Lindt/ }).count()).toBe(0);
  await leader.goto(`${w.server.demo.url}/users/${idOf('PV', 'noor.haddad')}`);
  await leader.getByRole('heading', { level: 1, name: /Noor Haddad/ }).waitFor();
  expect(await leader.getByRole('button', { name: 'Delete user' }).count()).toBe(0);
  expect((await w.api(leader, 'DELETE', `/v1/users/${idOf('PV', 'noor.haddad')}`)).status).toBe(403);

  const agent = await w.as(w.server.user('PV', 'Agent'), '/users');
  await agent.getByText('You do not have access to this page.').waitFor();
  expect(await agent.getByRole('link', { name: 'Users' }).count()).toBe(0);
  await expectAccessible(agent);
  expect((await w.api(agent, 'GET', '/v1/users')).status).toBe(403);
});

test('nobody suspends themselves, and a user who is not there is said to be not there', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), `/users/${idOf('PV', 'mara.lindt')}`);
  await page.getByText('This is you. Somebody else has to suspend or delete you.').waitFor();
  expect(await page.getByRole('button', { name: 'Suspend' }).isDisabled()).toBe(true);
  await page.goto(`${w.server.demo.url}/users/usr_00000000000000000000000000`);
  await page.getByText('There is no such user, or you may not see it.').waitFor();
});

test('the list works on a phone', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/users', { width: 390, height: 844 });
  await page.getByRole('list', { name: 'Users' }).getByText('Noor Haddad').click();
  await page.getByRole('heading', { level: 1, name: /Noor Haddad/ }).waitFor();
  await expectAccessible(page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});
