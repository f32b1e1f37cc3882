import { loadConnector } from '../../lib/connectors';
import type { GivenServer } from '../contracts/given-server';
import { sourceContract } from '../contracts/source';
import { typeOf } from './request';

// Run by `npm run verify`, and by nothing else: the server is somebody's.
const { given, waivers } = JSON.parse(process.env.EXPLORERIO_VERIFY ?? '{}') as {
  readonly given: GivenServer;
  readonly waivers: { readonly [check: string]: string };
};
const connector = await loadConnector(given.type);

sourceContract(connector, {
  name: 'your server',
  kind: 'real',
  unavailable: () => undefined,
  waivers,
  start: () => typeOf(given.type).open(given),
});
