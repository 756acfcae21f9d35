import type { Locator, Page } from 'playwright-core';

export const keysPage = '/settings/api-keys';

/** A row of the table of keys, by the key's name. */
export function row(page: Page, name: string): Locator {
  return page.getByRole('table', { name: 'API keys' }).getByRole('row').filter({ hasText: name });
}

/** The texts of one column, as shown. */
export async function column(page: Page, title: string): Promise<string[]> {
  const titles = await page.locator('table.dt thead th').allInnerTexts();
  const at = titles.findIndex((t) => t.trim() === title);
  return (await page.locator(`table.dt tbody tr td:nth-child(${at + 1})`).allInnerTexts()).map((t) => t.trim());
}

/** Chooses from a row's actions. */
export async function act(page: Page, name: string, action: string) {
  await row(page, name)
    .getByRole('button', { name: `Actions for ${name}` })
    .click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** Makes keys as the page's person, and answers their IDs in the order of their names. */
export async function makeKeys(page: Page, n: number, prefix: string, more: object = {}): Promise<string[]> {
  return page.evaluate(
    async ([count, text, rest]) => {
      const ids: string[] = [];
      for (let i = 0; i < (count as number); i++) {
        const name = `${text as string} ${String(i).padStart(3, '0')}`;
        const response = await fetch('/v1/api-keys', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ name, ...(rest as object) }),
        });
        ids.push(((await response.json()) as { id: string }).id);
      }
      return ids;
    },
    [n, prefix, more] as const,
  );
}

/** Answers as if the password had been given long ago, once; what follows is the server's own. */
export async function forgetPassword(page: Page, path: string) {
  await page.route(
    path,
    (route) =>
      route.fulfill({
        status: 403,
        contentType: 'application/problem+json',
        body: JSON.stringify({
          type: 'urn:claviger:problem:reauthentication_required',
          title: 'Forbidden',
          status: 403,
          code: 'reauthentication_required',
          detail: 'Give your password again.',
        }),
      }),
    { times: 1 },
  );
}

/** Gives the password where it is asked for. */
export async function givePassword(page: Page, password: string) {
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await dialog.getByRole('textbox', { name: /Password of/ }).fill(password);
  await dialog.getByRole('button', { name: 'Continue' }).click();
}

/** What has the focus, by its label or its text. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const active = document.activeElement;
    return active?.getAttribute('aria-label') ?? active?.textContent ?? '';
  });
}

/** Everything that a secret must not be in: the document, the address, the browser's storage. */
export async function traces(page: Page): Promise<string> {
  return page.evaluate(() =>
    [
      document.documentElement.outerHTML,
      ...[...document.querySelectorAll('input, textarea')].map((e) => (e as HTMLInputElement).value),
      location.href,
      document.title,
      document.cookie,
      JSON.stringify(history.state),
      JSON.stringify({ ...window.localStorage }),
      JSON.stringify({ ...window.sessionStorage }),
    ].join('\n'),
  );
}
