import { defineConfig } from 'vitest/config';

// Looks at every page and dialogue with axe, in both colours, and whether it fits on a phone: six minutes.
export default defineConfig({
  test: { root: import.meta.dirname, include: ['accessible.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
