import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { traces } from './keys';
import { expectAccessible, world } from './world';

const w = world();

interface Arrived {
  id: string;
  signature: string;
  type: string;
  body: string;
}

// A program that is told: it answers what `answer` says, and keeps what arrived.
const arrived: Arrived[] = [];
let answer = 204;
const program = http.createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const { 'webhook-id': id, 'webhook-signature': signature } = request.headers;
    arrived.push({ id: String(id), signature: String(signature), type: JSON.parse(body).type, body });
    response.writeHead(answer).end();
  });
});
let address = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(program.address() as AddressInfo).port}/claviger`;
});
afterAll(() => void program.close());

test('B9: a webhook is made, its secret is shown once, a test arrives', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/settings');
  await page.getByRole('link', { name: 'Open webhooks' }).click();
  await page.getByText('No webhooks yet').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Create webhook' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Create webhook' }).click();
  await page.getByText('Enter a name').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Ticket desk');
  await page.getByRole('dialog').getByRole('button', { name: 'Create webhook' }).click();
  await page.getByText('Enter the address of your program').waitFor();
  await page.getByLabel('Address', { exact: true }).fill('https://10.0.0.1/');
  await page.getByRole('dialog').getByRole('button', { name: 'Create webhook' }).click();
  await page.getByText('Give a public address.').waitFor();
  await page.getByLabel('Address', { exact: true }).fill(address);
  await page.getByLabel('All events').uncheck();
  await page.getByRole('dialog').getByRole('button', { name: 'Create webhook' }).click();
  await page.getByText('Choose at least one, or all').waitFor();
  await page.getByLabel('Created', { exact: true }).check();
  await page.getByLabel('Revoked', { exact: true }).check();
  await expectAccessible(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Create webhook' }).click();
  const secret = await page.locator('[data-secret]').textContent();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByText('Nothing was sent yet').waitFor();
  expect(await traces(page)).not.toContain('whsec_');

  await page.getByRole('button', { name: 'Send a test' }).click();
  const row = page.getByRole('table', { name: 'Deliveries' }).getByRole('row').nth(1);
  await row.getByText('Delivered').waitFor();
  expect(arrived.at(-1)?.type).toBe('webhook.test');
  await expectAccessible(page);
});

test('B9: what was refused is seen, and sent again', async () => {
  answer = 410;
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/settings/webhooks');
  await page.getByRole('button', { name: 'Ticket desk' }).click();
  await page.getByRole('heading', { name: 'Ticket desk' }).waitFor();
  const key = await w.api(page, 'POST', '/v1/api-keys', { name: 'For the dashboards' });
  expect(key.status).toBe(201);
  const row = page
    .getByRole('table', { name: 'Deliveries' })
    .getByRole('row', { name: /For the dashboards/ })
    .first();
  await expect
    .poll(async () => {
      await page.reload();
      await page.getByRole('table', { name: 'Deliveries' }).waitFor();
      return row.getByText('Given up').isVisible();
    })
    .toBe(true);
  await row.getByText('the endpoint says that it is gone (410)').waitFor();
  answer = 204;
  await row.getByRole('button', { name: 'Created', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('"credential.issued"').waitFor();
  await expectAccessible(page);
  const before = arrived.at(-1)!;
  await dialog.getByRole('button', { name: 'Send again' }).click();
  await page.getByText('The message is being sent again').waitFor();
  await expect.poll(() => arrived.length > 0 && arrived.at(-1) !== before).toBe(true);
  expect(arrived.at(-1)).toMatchObject({ id: before.id, body: before.body });
});

test('B9: a new secret signs beside the one before; suspended, nothing is sent', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/settings/webhooks');
  await page.getByRole('button', { name: 'Ticket desk' }).click();
  await page.getByRole('button', { name: 'New secret' }).click();
  await page.getByRole('button', { name: 'Create new secret' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Create new secret' }).click();
  await page.locator('[data-secret]').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByText('signs too until').waitFor();
  expect(await traces(page)).not.toContain('whsec_');
  const before = arrived.length;
  await page.getByRole('button', { name: 'Send a test' }).click();
  await expect.poll(() => arrived.length).toBe(before + 1);
  expect(arrived.at(-1)!.signature.split(' ')).toHaveLength(2);
  await page.getByRole('button', { name: 'Send again since…' }).click();
  await page.getByRole('button', { name: 'Send again', exact: true }).click();
  await page.getByText('Choose a time in the last 30 days').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  await page.getByRole('button', { name: 'Suspend webhook' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Suspend webhook' }).click();
  await page.getByText('Webhook suspended').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Webhook resumed').waitFor();
});

test('B9: on a phone, in the dark; and deleted', async () => {
  const page = await w.as(w.server.user('PV', 'Super Admin'), '/settings/webhooks', { width: 390, height: 844 });
  await page.getByText('Ticket desk').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page
    .getByRole('button', { name: /Ticket desk/ })
    .first()
    .click();
  await page.getByRole('heading', { name: 'Ticket desk' }).waitFor();
  await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
  await expectAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.getByRole('button', { name: 'Delete webhook' }).click();
  const remove = page.getByRole('alertdialog').getByRole('button', { name: 'Delete webhook' });
  await remove.waitFor();
  await expectAccessible(page);
  await remove.click();
  await page.getByText('No webhooks yet').waitFor();
});

test('without the permission there are no webhooks, and the API refuses', async () => {
  const page = await w.as(w.server.user('PV', 'Agent'), '/settings/webhooks');
  await page.getByText('A Super Admin can give you “Account settings”.').waitFor();
  expect((await w.api(page, 'GET', '/v1/webhooks')).status).toBe(403);
});
