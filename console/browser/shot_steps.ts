import type { Page } from 'playwright-core';
import { forgetPassword } from './keys';

export type Prepare = (page: Page) => Promise<unknown>;

export const first: Prepare = async (page) => {
  const list = page.url();
  await page.locator('table.dt tbody tr .keyname, .plist .pbody').first().click();
  await page.waitForURL((url) => url.toString() !== list);
  await page.locator('.cardb').first().waitFor();
};
export const press =
  (name: string | RegExp): Prepare =>
  (page) =>
    page.getByRole('button', { name }).first().click();

export const each =
  (...steps: Prepare[]): Prepare =>
  async (page) => {
    for (const step of steps) await step(page);
  };
export const pick =
  (box: string | RegExp, option: string | RegExp): Prepare =>
  async (page) => {
    await page.getByRole('combobox', { name: box }).first().click();
    await page.getByRole('option', { name: option }).first().click();
  };
export const seen =
  (text: string | RegExp): Prepare =>
  (page) =>
    page.getByText(text).first().waitFor();

export const write =
  (box: string, text: string): Prepare =>
  (page) =>
    page.getByRole('textbox', { name: box }).first().fill(text);

/** Opens what is called so, in the list or on the tree. */
export const open =
  (name: string): Prepare =>
  (page) =>
    page.getByText(name, { exact: true }).filter({ visible: true }).first().click();

export const makeWebhook: Prepare = async (page) => {
  await press('Create webhook')(page);
  await page.getByRole('textbox', { name: 'Name' }).fill('Ticket desk');
  await page.getByRole('textbox', { name: 'Address' }).fill('https://hooks.example.com/claviger');
};

export const submitWebhook: Prepare = (page) =>
  page.getByRole('dialog').getByRole('button', { name: 'Create webhook' }).click();

export const file = [
  'Label,User,Token',
  'Old reports,mara.lindt,1a0364b9e99bb480dd25e1f0284c8551',
  'Old export,tom.okafor,2a0364b9e99bb480dd25e1f0284c8552',
  'Whose,nobody.at.all,3a0364b9e99bb480dd25e1f0284c8553',
  'Old form,noor.haddad,opensesame42',
].join('\n');
export const chooseFile: Prepare = (page) =>
  page.locator('input[type=file]').setInputFiles({ name: 'keys.csv', mimeType: 'text/csv', buffer: Buffer.from(file) });

/** As if the plan did not include API access. */
export const withoutAccess: Prepare = async (page) => {
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

/** Who has this role in the demo's tenant of this model. */
export const admin = (model: 'PV' | 'NV' | 'VX' | 'EE' | 'VC', role = 'Super Admin') =>
  [model, role] as [typeof model, string];

/** As if the server failed at what this address answers. */
export const failing =
  (path: string): Prepare =>
  async (page) => {
    await page.route(path, (route) =>
      route.fulfill({
        status: 500,
        contentType: 'application/problem+json',
        body: JSON.stringify({
          status: 500,
          code: 'internal',
          title: 'Internal Server Error',
          detail: 'Something went wrong here. It was written to the log with the request ID.',
          request_id: 'req_7Hq2Lw9sVb4x',
        }),
      }),
    );
    await page.reload();
  };

/** As if the server did not answer yet. */
export const waiting =
  (path: string): Prepare =>
  async (page) => {
    await page.route(path, () => undefined);
    await page.reload({ waitUntil: 'domcontentloaded' });
    await page.locator('.tskeleton, .sk').first().waitFor();
  };

/** As if the server could not be reached any more, when the list is asked for again. */
export const away: Prepare = async (page) => {
  await page.locator('table.dt tbody tr, .plist li').first().waitFor();
  await page.route(/\/(v1|healthz)/, (route) => route.abort());
  await page.waitForTimeout(11_000); // until what it has is old
  await page.evaluate(() => window.dispatchEvent(new Event('visibilitychange')));
  await page.getByText('Claviger cannot be reached').waitFor();
};

/** A ticked row, by its name. */
export const tick =
  (name: string): Prepare =>
  (page) =>
    page
      .getByRole('checkbox', { name: `Select ${name}` })
      .first()
      .click({ force: true });

export const selectAll: Prepare = (page) => page.getByRole('checkbox', { name: 'Select all keys that match' }).click();

/** The dialogue that asks for the password, as if it had been given long ago. */
export const stepUp: Prepare = async (page) => {
  await forgetPassword(page, '**/reveal');
  await press('Show key')(page);
  await page.getByRole('dialog', { name: 'Confirm that it is you' }).waitFor();
};

/** A webhook whose messages were refused, as the server tells of it. */
export const refused: Prepare = async (page) => {
  await page.route('**/deliveries?*', async (route) => {
    const response = await route.fetch();
    const body = (await response.json()) as { items: Record<string, unknown>[] };
    const [last] = body.items;
    const items = last && [
      { ...last, id: `${String(last.id)}1`, state: 'pending', attempts: 3, error: 'answered 503' },
      {
        ...last,
        id: `${String(last.id)}2`,
        state: 'dead',
        attempts: 12,
        error: 'the endpoint says that it is gone (410)',
      },
      { ...last, state: 'delivered', attempts: 1, error: undefined },
    ];
    await route.fulfill({ response, json: { ...body, items: items ?? [], total: 3 } });
  });
  await open('Ticket desk')(page);
  await page.getByRole('heading', { name: 'Ticket desk' }).waitFor();
};

/** A deletion of which a part failed. */
export const partly: Prepare = async (page) => {
  await page.route('**/v1/operations/*', (route) =>
    route.fulfill({
      json: {
        id: 'op_1',
        action: 'delete',
        state: 'done',
        total: 1284,
        done: 1284,
        failed_total: 3,
        created_at: new Date().toISOString(),
        failed: [1, 2, 3].map((n) => ({
          id: `crd_${n}AAAAAAAAAAA`,
          code: 'denied',
          message: 'You may not delete keys of others.',
        })),
      },
    }),
  );
  await page.goto(`${page.url()}?deletion=op_1`);
  await press('Show them')(page);
};
