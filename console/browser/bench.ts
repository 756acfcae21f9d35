import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { type DemoUser, world } from './world';

// The table with very many keys, in a real browser against the built program: what a
// person waits for. Figures, not verdicts: the machine is shared.
const w = world();
const keys = Number(process.env.KEYS ?? 100_000);
const bulk = Math.min(10_000, keys / 10);
const rounds = 9;

interface Row {
  what: string;
  measured: string;
  aim: string;
}
const table: Row[] = [];
const median = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
const ms = (list: number[]) =>
  `${median(list).toFixed(0)} ms (${Math.min(...list).toFixed(0)} to ${Math.max(...list).toFixed(0)})`;

/** Issues keys through the management API, many at once: a browser would open six connections. */
async function seed(user: DemoUser & { tenant: string }, count: number, name: (i: number) => string) {
  const { url } = w.server.demo;
  const send = (route: string, body: unknown, cookie = '') =>
    fetch(url + route, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Cookie: cookie },
      body: JSON.stringify(body),
    });
  const { tenant, username, password } = user;
  const session = await send('/v1/sessions', { tenant, username, password });
  const cookie = session.headers.getSetCookie()[0]!.split(';')[0]!;
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const i = next++;
      if (i % 20_000 === 0) process.stderr.write(`  ${i} of ${count} keys\n`);
      const response = await send('/v1/api-keys', { name: name(i) }, cookie);
      await response.arrayBuffer();
      expect(response.status).toBe(201);
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
}

const rows = (page: Page) => page.locator('table.dt tbody tr');

/**
 * Notes in the page itself when its rows are seen, and when something else is: Playwright looks only now and then, after
 * a while each half a second, and what it does to look takes the page's own time.
 */
function watchPaint() {
  const at = () => performance.timeOrigin + performance.now();
  const painted = (then: () => void) => requestAnimationFrame(() => setTimeout(then));
  const watch = window as unknown as { rowsSeen?: (at: number) => void; until: (text: string) => Promise<number> };
  const first = new MutationObserver(() => {
    if (!document.querySelector('table.dt tbody tr')) return;
    first.disconnect();
    painted(() => watch.rowsSeen?.(at()));
  });
  first.observe(document, { childList: true, subtree: true });

  // From the next input or click until the rows are others, or until the bar above them says something.
  watch.until = (text) =>
    new Promise((resolve) => {
      // The rows that the window shows: those below are drawn when these are seen.
      const list = () =>
        [...document.querySelectorAll<HTMLElement>('table.dt tbody tr')].slice(0, 10).map((row) => row.dataset.id);
      const before = list().join();
      let began = 0;
      const begin = () => (began ||= at());
      for (const event of ['input', 'click']) addEventListener(event, begin, { capture: true, once: true });
      const observer = new MutationObserver(() => {
        const done = text ? document.querySelector('.tbar')?.textContent?.includes(text) : list().join() !== before;
        if (!done || began === 0) return;
        observer.disconnect();
        painted(() => resolve(at() - began));
      });
      observer.observe(document.querySelector('.tbl')!, { childList: true, subtree: true, characterData: true });
    });
}

/** How long it takes from an input or a click to what it brings about, in ms. */
async function until(page: Page, text: string, act: () => Promise<unknown>): Promise<number> {
  const took = page.evaluate((what) => {
    const { until: wait } = window as unknown as { until: (text: string) => Promise<number> };
    return wait(what);
  }, text);
  await act();
  return took;
}

/** Notes every stretch of more than 50 ms in which the page did not answer. */
async function watchFrames(page: Page) {
  await page.evaluate(() => {
    const seen: number[] = [];
    (window as unknown as { longTasks: number[] }).longTasks = seen;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.push(entry.duration);
    }).observe({ type: 'longtask', buffered: false });
  });
}
const longTasks = (page: Page) => page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);

test('the table with very many keys', async () => {
  const admin = w.server.user('PV', 'Super Admin');
  await seed(admin, keys - bulk, (i) => `load ${i.toString(36).padStart(5, '0')} ${i % 7 === 0 ? 'kiosk' : 'desk'}`);
  await seed(admin, bulk, (i) => `zz-bulk ${i}`);

  const page = await w.as(admin, '/settings/api-keys');
  await rows(page).first().waitFor();
  let seen: (at: number) => void;
  await page.exposeFunction('rowsSeen', (at: number) => seen(at));
  await page.addInitScript(watchPaint);

  const first: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await page.goto('about:blank');
    const rowsSeen = new Promise<number>((resolve) => (seen = resolve));
    const began = performance.timeOrigin + performance.now();
    await page.goto(`${w.server.demo.url}/settings/api-keys`, { waitUntil: 'commit' });
    first.push((await rowsSeen) - began);
    await rows(page).last().waitFor();
  }
  table.push({ what: `${keys} keys: first page, from the address to the rows`, measured: ms(first), aim: '300 ms' });

  await watchFrames(page);
  const typed: number[] = [];
  // Each finds others than the one before; "load 7", "load 0a" and "sk" find nothing.
  for (const text of ['load 01', 'kiosk', 'load 7', '00', 'sk', 'ki', '01x', 'desk', 'load 0a']) {
    typed.push(await until(page, '', () => page.getByRole('searchbox').fill(text)));
    await page.waitForURL((url) => url.searchParams.get('q') === text);
    await page.waitForTimeout(500);
  }
  table.push({ what: 'search as you type, the 150 ms pause included', measured: ms(typed), aim: '300 ms' });

  await page.getByRole('searchbox').fill('zz-bulk');
  await page.waitForURL(/q=zz-bulk/);
  await page
    .getByText(`${bulk.toLocaleString('en-GB')} keys`)
    .first()
    .waitFor();
  const all = page.getByRole('checkbox', { name: /Select all keys that match/ });
  const selecting = await until(page, 'selected, on all pages', () => all.click());
  table.push({ what: `select all ${bulk}`, measured: ms([selecting]), aim: '50 ms' });

  await page
    .getByRole('button', { name: /^Delete [\d,]+ keys/ })
    .first()
    .click();
  await page.getByLabel(/^Type \d+ to confirm/).fill(String(bulk));
  const deleting = performance.now();
  await page
    .getByRole('alertdialog')
    .getByRole('button', { name: /^Delete/ })
    .click();
  await page
    .getByText(new RegExp(`${bulk.toLocaleString('en-GB')} keys deleted`))
    .first()
    .waitFor({ timeout: 600_000 });
  const took = performance.now() - deleting;
  table.push({
    what: `bulk deletion of ${bulk}, until the result is told`,
    measured: `${(took / 1000).toFixed(1)} s (${Math.round(bulk / (took / 1000))} keys a second)`,
    aim: 'reported',
  });

  const long = await longTasks(page);
  table.push({
    what: 'stretches over 50 ms in which the page did not answer',
    measured: long.length === 0 ? 'none' : `${long.length}, the longest ${Math.max(...long).toFixed(0)} ms`,
    aim: 'none',
  });
  const width = Math.max(...table.map((row) => row.what.length));
  process.stdout.write(
    `\n${table.map((row) => `${row.what.padEnd(width)}  ${row.measured.padEnd(34)}  ${row.aim}`).join('\n')}\n`,
  );
});
