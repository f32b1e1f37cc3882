import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { countsText, replayText } from '../output/quarantine';
import { integrationPath, performConnected } from '../perform';
import { addFilterOptions, type FilterOptions, filterOf } from '../quarantine-filter';
import type { ReplayResult } from '../wire';

interface ReplayOptions extends FilterOptions {
  readonly dryRun?: true;
}

type Outcome = ReplayResult['outcomes'][number];

/** Of one request, so that each is answered in time and progress can be seen. */
const PAGE = 200;

const ABOUT = `
Records go through the steps and rules of the document as it is now, oldest first. What passes is loaded, once however
often this is repeated, and never over a newer version. What fails stays, with its new reasons.

Exit code 0: nothing is left of what was asked for; 3: some records stay in quarantine; 1: all of them do.

Examples:
  explorerio quarantine replay main_database --dry-run       what would become of each record
  explorerio quarantine replay main_database
  explorerio quarantine replay main_database 42 43
  explorerio quarantine replay main_database --rule email_format --since 2d`;

/** `explorerio quarantine replay`: loads records whose cause was mended. */
export const addQuarantineReplay: AddCommand = (quarantine, cli) => {
  const command = addFilterOptions(
    quarantine
      .command('replay')
      .description('send records through the steps and rules again, and load those that pass')
      .argument('<name>', 'the integration')
      .argument('[ids...]', 'ids of records, as the list shows them; all of them by default'),
  )
    .option('--dry-run', 'change nothing, only say what would become of each record')
    .addHelpText('after', ABOUT);
  performConnected<ReplayOptions>(command, cli, 'work', replay);
};

async function replay({ cli, args, options, printer }: Call<ReplayOptions>, { client }: Connection): Promise<number> {
  const [name = '', ...ids] = args;
  const { dryRun = false } = options;
  const body = { ...filterOf(options), ...(ids.length > 0 && { ids }), dry_run: dryRun, limit: PAGE };
  const path = integrationPath(name, '/quarantine/replay');
  const outcomes: Outcome[] = [];
  let after: string | undefined;
  do {
    const sent = after === undefined ? body : { ...body, after };
    const part: ReplayResult = await client.request<ReplayResult>('POST', path, sent, cli.signal);
    outcomes.push(...part.outcomes);
    after = part.next;
    if (after !== undefined) printer.note(`... ${countsText(outcomes)}`);
  } while (after !== undefined);
  printer.result({ dry_run: dryRun, outcomes }, () => replayText(outcomes, dryRun));
  const kept = outcomes.filter(({ state }) => state === 'failed' || state === 'postponed').length;
  if (kept === 0) return ExitCode.Ok;
  return kept === outcomes.length ? ExitCode.Failed : ExitCode.Partial;
}
