import { defineConfig } from 'vitest/config';

// Makes pictures of every page: 1440 and 390 px, light and dark, in shots/.
export default defineConfig({
  test: { root: import.meta.dirname, include: ['screenshots.ts'], testTimeout: 600_000, hookTimeout: 60_000 },
});
