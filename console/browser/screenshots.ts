import fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { type Shot, shots, type Size, sizes } from './shots';
import { world } from './world';

const w = world();
const out = path.resolve(import.meta.dirname, '../shots');
// ONLY=usage,audit-log makes these; ONLY=api-key* whatever begins so.
const only = process.env.ONLY?.split(',');
const wanted = (name: string) =>
  !only || only.some((o) => (o.endsWith('*') ? name.startsWith(o.slice(0, -1)) : name === o));

fs.mkdirSync(out, { recursive: true });

for (const shot of shots(w.server)) {
  test.runIf(wanted(shot.name))(shot.name, async () => {
    for (const size of sizes) if ((shot.on ?? ['1440', '390']).includes(size.suffix)) await take(shot, size);
  });
}

/** Makes the pictures of a page at one size, light and dark. */
async function take(shot: Shot, { suffix, size }: Size) {
  const at = typeof shot.at === 'string' ? shot.at : shot.at();
  const page =
    shot.who === 'nobody'
      ? await w.open(at, size)
      : await w.as(shot.who === 'system' ? w.server.demo.system_admin : w.server.user(...shot.who), at, size);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await settled(page);
  try {
    await shot.then?.(page);
  } catch (error) {
    // What there is instead is worth a picture, too.
    process.stdout.write(`${shot.name} ${suffix}: ${(error as Error).message.split('\n')[0]}\n`);
  }
  await settled(page);
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    // Colours change over a frame or two.
    await page.waitForTimeout(200);
    await page.evaluate(() =>
      Promise.allSettled(
        document
          .getAnimations()
          .filter((a) => a.effect?.getComputedTiming().endTime !== Infinity)
          .map((a) => a.finished),
      ),
    );
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) process.stdout.write(`${shot.name} ${suffix}: ${over} px too wide\n`);
    await page.screenshot({ path: path.join(out, `${shot.name}-${suffix}-${scheme}.png`), fullPage: shot.whole });
  }
}

/** Waits until nothing is asked any more; what is never answered is not waited for long. */
async function settled(page: Page) {
  await page.waitForLoadState('networkidle', { timeout: 4000 }).catch(() => undefined);
}
