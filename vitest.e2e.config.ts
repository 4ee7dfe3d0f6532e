import { defineConfig } from 'vitest/config'

/** What needs more than npm: DBT and ACT name the programs. `.ci/run` installs both. */
export default defineConfig({
  test: { include: ['test/e2e/**/*.e2e.ts'], testTimeout: 240_000, hookTimeout: 240_000, fileParallelism: false },
})
