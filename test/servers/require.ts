/** How to get one server that tests need. */
export interface ServerRecipe<S extends { stop(): Promise<void> }> {
  /** As it is printed: `PostgreSQL 15`. */
  readonly name: string;
  /** Why it cannot be started here; `undefined` when it can. Cheap and synchronous: tests are declared after it. */
  unavailable(): string | undefined;
  start(): Promise<S>;
}

const START_TIMEOUT_MS = 120_000;

/**
 * Declares tests that need a server: started before them, stopped after them. Where it cannot be had they count as
 * skipped and `NOT RUN: name: reason` is printed; with REQUIRE_SERVICES=1 they fail.
 */
export function describeWithServer<S extends { stop(): Promise<void> }>(
  title: string,
  recipe: ServerRecipe<S>,
  body: (server: () => S) => void,
): void {
  const reason = recipe.unavailable();
  if (reason !== undefined) {
    notRun(recipe.name, reason, () => describe(title, () => body(() => missing(recipe.name, reason))));
    return;
  }
  describe(title, () => {
    let server: S | undefined;
    beforeAll(async () => {
      server = await recipe.start();
    }, START_TIMEOUT_MS);
    afterAll(async () => server?.stop(), START_TIMEOUT_MS);
    body(() => server ?? missing(recipe.name, 'its tests ask for it before beforeAll has run'));
  });
}

/** Says that the tests declared by `declare` are not run, and why; with REQUIRE_SERVICES=1 adds a test that fails. */
export function notRun(name: string, reason: string, declare: () => void): void {
  const message = `NOT RUN: ${name}: ${reason}`;
  process.stderr.write(`${message}\n`);
  if (process.env.REQUIRE_SERVICES === '1') {
    it(`${name} can be had`, () => {
      throw new Error(message);
    });
  }
  describe.skip(`not run for want of ${name}`, declare);
}

function missing(name: string, reason: string): never {
  throw new Error(`${name}: ${reason}`);
}
