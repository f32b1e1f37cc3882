import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConnector } from '../../lib/connectors';
import { givenServer, withPassword } from './request';
import { verifiedTypes } from './types';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [, listed = ''] = readFileSync(join(root, 'compose.yaml'), 'utf8').split(/^services:\n/m);

interface Service {
  readonly name: string;
  /** The comments before it. */
  readonly comments: readonly string[];
  readonly text: string;
}

const services = [...listed.matchAll(/((?:^ {2}#.*\n)*)^ {2}(\w+):\n((?: {4}.*\n)+)/gm)].map(
  ([, comments = '', name = '', text = '']): Service => ({ name, text, comments: comments.split('\n') }),
);

/** What a command line says after the name of the script. */
function optionsOf({ comments }: Service) {
  const [, type = '', rest = ''] = /npm run verify -- (\w+) (.*)/.exec(comments.join('\n')) ?? [];
  const options = Object.fromEntries([...rest.matchAll(/--([\w-]+) (\S+)/g)].map(([, name, value]) => [name, value]));
  return { type, options: options as { readonly [name: string]: string } };
}

describe('compose.yaml', () => {
  it('has a service for each type that can be verified where Docker is', () => {
    expect(services.map(({ name }) => name).sort()).toEqual(
      Object.keys(verifiedTypes)
        .filter((type) => type !== 'azure_sql')
        .sort(),
    );
  });

  it.each(services.map((service) => [service.name, service] as const))(
    'says how to verify %s',
    async (name, service) => {
      const { type, options } = optionsOf(service);
      expect(type).toBe(name);
      const { url = '', config, 'password-env': password } = options;
      if (config !== undefined) expect(existsSync(join(root, config))).toBe(true);
      const given = givenServer(type, { url, ...(config !== undefined && { config: join(root, config) }) });
      const connector = await loadConnector(type);
      expect(() => connector.validate(withPassword(given, password && 'Harmless-Dev-1').config)).not.toThrow();
      expect(service.text).toContain(`"127.0.0.1:${new URL(url).port}:`);
    },
  );

  it.each(services.map(({ name, text }) => [name, text] as const))(
    'pins %s, opens it to this machine alone, and knows when it is ready',
    (_name, text) => {
      expect(text).toMatch(/^ {4}image: [\w./-]+:[\w.-]*\d[\w.-]*$/m);
      const [, ports = ''] = /^ {4}ports: \[(.*)\]$/m.exec(text) ?? [];
      for (const port of ports.split(', ')) expect(port).toMatch(/^"127\.0\.0\.1:\d+:\d+"$/);
      expect(text).toMatch(/^ {4}healthcheck:\n {6}(#.*\n {6})?test: /m);
    },
  );
});
