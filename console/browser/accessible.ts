import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { type Shot, shots, sizes } from './shots';
import { expectAccessible, world } from './world';

// Every page and every dialogue of which there are pictures, in both colours and on a phone.
const w = world();

/** Waits until nothing is asked any more; what is never answered is not waited for long. */
async function settled(page: Page) {
  await page.waitForLoadState('networkidle', { timeout: 2000 }).catch(() => undefined);
}

async function open(shot: Shot): Promise<Page> {
  const size = sizes.find(({ suffix }) => suffix === (shot.on?.[0] ?? '1440'))!.size;
  const at = typeof shot.at === 'string' ? shot.at : shot.at();
  if (shot.who === 'nobody') return w.open(at, size);
  return w.as(shot.who === 'system' ? w.server.demo.system_admin : w.server.user(...shot.who), at, size);
}

test.each(shots(w.server))(
  '$name: accessible in both colours, and no wider than a phone',
  async (shot) => {
    const page = await open(shot);
    await settled(page);
    await shot.then?.(page);
    await settled(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await expect.poll(() => page.locator('html').getAttribute('data-mantine-color-scheme')).toBe(colorScheme);
      // Colours that are on their way from one scheme to the other have no contrast.
      await page.evaluate(() => Promise.allSettled(document.getAnimations().map((a) => a.finished)));
      await expectAccessible(page);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  },
  60_000,
);
