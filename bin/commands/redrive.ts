import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { plain } from '../output/format';
import { table } from '../output/table';
import { performConnected } from '../perform';
import type { RedriveList } from '../wire';

interface RedriveOptions {
  readonly run?: string;
}

type Letters = RedriveList['letters'];

const ABOUT = `
A message that was received five times and never handled ends in the dead letters, and its run with it. Mend the cause
first. A run that is still going on is sent to the workers again; in the place of one that was ended as failed a new run
of the same kind starts: increments go on where they stood, a full read that was not published begins anew. Doing it
twice starts no second run.

Examples:
  explorerio --stage prod runs redrive
  explorerio --stage prod runs redrive main_database
  explorerio runs redrive --run RUN --json`;

/** `explorerio runs redrive`: takes up again what ended in the dead letters. */
export const addRedrive: AddCommand = (runs, cli) => {
  const command = runs
    .command('redrive')
    .description('take up again the runs whose messages ended in the dead letters')
    .argument('[integration]', 'only those of one integration')
    .option('--run <run>', 'only those of this run')
    .addHelpText('after', ABOUT);
  performConnected<RedriveOptions>(command, cli, 'state', redrive);
};

async function redrive({ args, options, printer }: Call<RedriveOptions>, { client }: Connection): Promise<number> {
  const [integration] = args;
  const body = {
    ...(integration !== undefined && { integration }),
    ...(options.run !== undefined && { run: options.run }),
  };
  const result = await client.request<RedriveList>('POST', '/api/runs/redrive', body);
  printer.result(result, () => textOf(result.letters));
  const kept = result.letters.filter(({ outcome }) => outcome === 'kept').length;
  if (kept === 0) return ExitCode.Ok;
  return kept === result.letters.length ? ExitCode.Failed : ExitCode.Partial;
}

const OUTCOMES = { resent: 'sent again', started: 'started anew', removed: 'removed', kept: 'kept' } as const;

function textOf(letters: Letters): string {
  if (letters.length === 0) {
    return 'There is no dead letter. One that something else is looking at is hidden for up to half a minute.';
  }
  const columns = ['integration', 'run', 'dead letter', 'new run', 'note'].map((title) => ({ title }));
  const rows = letters.map(({ integration = '', run, outcome, started = '', note }) => [
    integration,
    run ?? (integration === '' ? '' : '(schedule)'),
    OUTCOMES[outcome],
    started,
    plain(note),
  ]);
  return table(columns, rows);
}
