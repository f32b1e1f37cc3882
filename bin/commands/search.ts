import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { plain, plural } from '../output/format';
import { pageSizeUpTo } from '../page-size';
import { performConnected } from '../perform';
import type { SearchResult } from '../wire';

interface SearchOptions {
  readonly integration?: string;
  readonly stream?: string;
  readonly limit: number;
  readonly after?: string;
}

const LARGEST_PAGE = 100;

type Hit = SearchResult['hits'][number];
type Part = Hit['highlights'][number]['parts'][number];

const EXAMPLES = `
Looks in the fields that documents name under streams.NAME.search, of all integrations. The last word may be the
beginning of one; "a phrase" in quotes, or, and -without are understood. Where few records hold the words, those with
parts of them or with words like them follow.

Examples:
  explorerio search whale
  explorerio search '"left hand" or darkness -light'
  explorerio search berlin --integration main_database --stream public.customers --json`;

/** `explorerio search`: records that hold some words. */
export const addSearch: AddCommand = (program, cli) => {
  const command = program
    .command('search')
    .description('find records by words in them, the best first')
    .argument('<words...>', 'what to look for')
    .option('--integration <name>', 'only records of this integration')
    .option('--stream <stream>', 'only records of this stream')
    .option('--limit <number>', 'how many records', pageSizeUpTo(LARGEST_PAGE), 20)
    .option('--after <next>', 'the next page: what the page before named with --json as next')
    .addHelpText('after', EXAMPLES);
  performConnected<SearchOptions>(command, cli, 'work', search);
};

async function search({ cli, args, options, printer }: Call<SearchOptions>, { client }: Connection) {
  const query = new URLSearchParams({ q: args.join(' '), limit: String(options.limit) });
  for (const name of ['integration', 'stream', 'after'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, value);
  }
  const found = await client.request<SearchResult>('GET', `/api/search?${query}`, undefined, cli.signal);
  printer.result(found, () => resultText(found, printer.out.isTTY === true));
  for (const warning of found.warnings) printer.note(`note: ${plain(warning)}`);
  if (found.next !== undefined) {
    printer.note(`There are more than ${plural(found.hits.length, 'record')}: raise --limit, or give more words.`);
  }
  return ExitCode.Ok;
}

function resultText({ hits }: SearchResult, bold: boolean): string {
  if (hits.length === 0) return 'Nothing was found.';
  return hits.map((hit) => hitText(hit, bold)).join('\n\n');
}

function hitText({ integration, stream, key, match, highlights }: Hit, bold: boolean): string {
  const keys = Object.entries(key).map(([column, value]) => plain(`${column}=${String(value)}`));
  const title = [plain(`${integration}/${stream}`), ...keys, ...(match === 'similar' ? ['(similar)'] : [])];
  const lines = highlights.map(({ field, parts }) => `  ${plain(field)}: ${parts.map(shownIn(bold)).join('')}`);
  return [title.join('  '), ...lines].join('\n');
}

function shownIn(bold: boolean): (part: Part) => string {
  return ({ text, match }) => {
    const shown = plain(text.replace(/\s+/g, ' '));
    if (!match) return shown;
    return bold ? `\u001b[1m${shown}\u001b[0m` : `[${shown}]`;
  };
}
