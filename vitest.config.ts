import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    // Vitest leaves one processor free, which of two leaves one: the two halves of the simulation share both.
    maxWorkers: 2,
    globalSetup: './test/support/own-temp.ts',
    // Tests wait until something happens. These only end one that hangs: no machine is slow enough to come near.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
