import { noFeed } from '../contracts/feed-titles';
import type { Config, RunningSource, SourceFixture } from '../contracts/source-reading';
import { troubleShownBy } from '../contracts/trouble-titles';
import { mariadbFixture } from './mysql';
import { fixtures as postgresqlFixtures } from './postgresql';

/** The engines on this machine stand in for those of AWS: what is tested is how they are reached. */
export const fixtures: readonly SourceFixture[] = [
  ...postgresqlFixtures.slice(-1).map((fixture) => inPlaceOfRds(fixture, 'postgresql')),
  inPlaceOfRds(mariadbFixture(), 'mariadb'),
];

function inPlaceOfRds(fixture: SourceFixture, engine: string): SourceFixture {
  return {
    ...fixture,
    name: `${fixture.name} in the place of RDS`,
    kind: 'emulator',
    waivers: {
      ...troubleShownBy("the engine's own connector"),
      ...(engine !== 'postgresql' && noFeed('only PostgreSQL is followed')),
    },
    start: async () => renamed(await fixture.start(), engine),
  };
}

function renamed(running: RunningSource, engine: string): RunningSource {
  const ofRds = (config: Config): Config => ({ ...config, connection: rdsConnection(config.connection, engine) });
  return {
    ...running,
    config: ofRds(running.config),
    required: running.required.map((path) => path.replace(/^connection\.host$/, 'connection.endpoint')),
    wrongPassword: () => ofRds(running.wrongPassword()),
    closedPort: async () => ofRds(await running.closedPort()),
  };
}

/** A connection of the engine's own connector as that of RDS. */
export function rdsConnection(connection: unknown, engine: string) {
  const { host, ...others } = connection as { readonly host: string };
  return { endpoint: host, engine, ssl: false, ...others };
}
