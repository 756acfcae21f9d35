import { expect, test } from 'vitest';
import { colours, openShot, settled } from './shot_page';
import { shots, sizes } from './shots';
import { expectAccessible, world } from './world';

// Every page and every dialogue of which there are pictures, in both colours and on a phone.
const w = world();

test.each(shots(w.server))(
  '$name: accessible in both colours, and no wider than a phone',
  async (shot) => {
    const page = await openShot(
      w,
      shot,
      sizes.find(({ suffix }) => suffix === (shot.on?.[0] ?? '1440'))!,
    );
    await settled(page);
    await shot.then?.(page);
    await settled(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await colours(page, colorScheme);
      await expect.poll(() => page.locator('html').getAttribute('data-mantine-color-scheme')).toBe(colorScheme);
      await expectAccessible(page);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  },
  60_000,
);
