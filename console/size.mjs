// Fails the build when what a browser must load before the first page is shown grows past its budget.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const budget = 250 * 1000;
const html = fs.readFileSync('dist/index.html', 'utf8');
const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((m) => m[1]);
const bytes = files.reduce(
  (sum, f) => sum + zlib.gzipSync(fs.readFileSync(path.join('dist', f)), { level: 9 }).length,
  0,
);
console.log(
  `initial JavaScript: ${(bytes / 1000).toFixed(1)} kB gzip in ${files.length} files (budget ${budget / 1000} kB)`,
);
if (bytes > budget || files.length === 0) process.exit(1);
