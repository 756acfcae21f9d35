import { defineConfig } from 'vitest/config';

// Tests of the built program in a real browser. `make build` first.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A second, as it is by default, is less than a reload takes on a busy machine.
    expect: { poll: { timeout: 10_000 } },
  },
});
