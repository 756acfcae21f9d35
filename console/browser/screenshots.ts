import fs from 'node:fs';
import path from 'node:path';
import { test } from 'vitest';
import { type Shot, shots, type Size, sizes } from './shots';
import { colours, openShot, settled } from './shot_page';
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
  const page = await openShot(w, shot, { suffix, size });
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
    await colours(page, scheme);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) process.stdout.write(`${shot.name} ${suffix}: ${over} px too wide\n`);
    await page.screenshot({ path: path.join(out, `${shot.name}-${suffix}-${scheme}.png`), fullPage: shot.whole });
  }
}
