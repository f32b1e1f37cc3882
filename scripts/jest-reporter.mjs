import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const LONGEST_REASON = 300;

/** Prints the counts alone on the last line, and writes them, with what failed, to the file named by TEST_RESULTS. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      // A file that could not be loaded has no failed test, yet nothing in it was proved.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    const failures = results.testResults.flatMap(failuresOf);
    const file = process.env.TEST_RESULTS;
    if (file) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(
        file,
        `${JSON.stringify({ ...counts, failures, longest: longest(results.testResults) }, null, 1)}\n`,
      );
    }
    // Jest's own summary comes after every other reporter.
    process.once('exit', () => {
      process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    });
  }
}

function failuresOf({ testFilePath, testExecError, testResults }) {
  const file = relative(process.cwd(), testFilePath);
  const failed = testResults.filter(({ status }) => status === 'failed');
  const tests = failed.map(
    ({ fullName, failureMessages }) => `${file}: ${fullName}: ${firstLines(failureMessages[0])}`,
  );
  return testExecError ? [`${file}: ${firstLines(testExecError.message)}`, ...tests] : tests;
}

function firstLines(message = '') {
  return stripVTControlCharacters(message).replace(/\s+/g, ' ').slice(0, LONGEST_REASON);
}

/** The files that took longest, with their seconds. */
function longest(testResults) {
  const seconds = ({ perfStats }) => Math.round((perfStats.end - perfStats.start) / 1000);
  const files = testResults.map((result) => ({
    file: relative(process.cwd(), result.testFilePath),
    seconds: seconds(result),
  }));
  return files.sort((left, right) => right.seconds - left.seconds).slice(0, 20);
}
