import { readFileSync } from 'node:fs';
import { IDENTIFIER_NAMES, identifier } from '../../../../lib/core/alert/identifiers';
import { alertIssues } from '../../../../lib/core/alert/rule';

const page = readFileSync(new URL('../../../../docs/alerts.md', import.meta.url), 'utf8');
const TYPES = { share: 'share', number: 'number', duration: 'length of time' };
const SCOPES = { state: 'a moment', window: 'the last `duration`' };

it('the page names every identifier as it is', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(
    IDENTIFIER_NAMES.map((name) => {
      const { type, words = [], scope, doc } = identifier(name);
      const values = type === 'word' ? words.map((word) => `\`'${word}'\``).join(', ') : TYPES[type];
      return `| \`${name}\` | ${values} | ${SCOPES[scope]} | ${doc} |`;
    }),
  );
});

it('the example of the page is right', () => {
  const [, json = '{}'] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const { alerts } = JSON.parse(json);
  expect(alerts).toHaveLength(3);
  expect(alertIssues(alerts)).toEqual([]);
});
