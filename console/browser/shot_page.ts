import type { Page } from 'playwright-core';
import type { Shot, Size } from './shots';
import type { world } from './world';

/** Opens a shot's page, as the one it is for. */
export function openShot(w: ReturnType<typeof world>, shot: Shot, { size }: Size): Promise<Page> {
  const at = typeof shot.at === 'string' ? shot.at : shot.at();
  if (shot.who === 'nobody') return w.open(at, size);
  return w.as(shot.who === 'system' ? w.server.demo.system_admin : w.server.user(...shot.who), at, size);
}

/** Waits until nothing is asked any more; what is never answered is not waited for long. */
export async function settled(page: Page) {
  await page.waitForLoadState('networkidle', { timeout: 4000 }).catch(() => undefined);
}

/** Shows the page in other colours, and waits until all have changed over: that takes a frame or two. */
export async function colours(page: Page, colorScheme: 'light' | 'dark') {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.waitForTimeout(200);
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter((a) => a.effect?.getComputedTiming().endTime !== Infinity)
        .map((a) => a.finished),
    ),
  );
}
