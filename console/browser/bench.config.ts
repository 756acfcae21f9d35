import { defineConfig } from 'vitest/config';

// How quick the console is with very many keys: `npm run bench`.
export default defineConfig({
  test: { root: import.meta.dirname, include: ['bench.ts'], testTimeout: 1_800_000, hookTimeout: 60_000 },
});
