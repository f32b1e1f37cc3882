/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testEnvironment: '<rootDir>/scripts/jest-environment.mjs',
  testSequencer: '<rootDir>/scripts/jest-sequencer.mjs',
  transform: { '\\.ts$': '<rootDir>/scripts/jest-transform.mjs' },
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'ts', 'json', 'node'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.build/', '<rootDir>/.explorerio/', '<rootDir>/cdk.out/'],
  maxWorkers: 2,
  // Modules of a file that has ended stay in memory: the tests that come later would spend their time on collecting it.
  workerIdleMemoryLimit: '400MB',
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/scripts/jest-reporter.mjs'],
};
