/** Tells the process that has started Jest how each check went. */
export default class VerifyReporter {
  constructor() {
    // Whoever would clean up is gone.
    process.once('disconnect', () => process.exit(1));
    // It must not keep this process from ending.
    process.channel.unref();
  }

  onTestCaseResult(_test, { title, status, failureMessages }) {
    process.send({ kind: 'done', result: { title, status, failureMessages } });
  }

  onTestResult(_test, { testExecError, testResults }) {
    const results = testResults.map(({ title, status, failureMessages }) => ({ title, status, failureMessages }));
    process.send({ kind: 'all', results, ...(testExecError && { error: testExecError.message }) });
  }
}
