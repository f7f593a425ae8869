import { parseCount, parseTime } from '../../arguments/time.ts'
import { type AddCommand, action, examples } from '../../command.ts'
import { cancelReplay, listReplays, watchReplay } from './manage-replays.ts'
import { type StartOptions, startReplay } from './start-replay.ts'

/** `posthorn replay`. */
export const addReplay: AddCommand = (parent, shell) => {
  const replay = parent
    .command('replay')
    .summary('make past deliveries due again')
    .description(
      'Makes past deliveries due again, in the background, rendered afresh with the settings of today.',
    )
  replay
    .command('start', { isDefault: true })
    .summary('count, ask, then start one (what `replay` alone does)')
    .description(
      'Counts what a replay would make due, asks, starts it and shows how it goes on.\n' +
        'The relay does the work: Ctrl-C leaves it going.',
    )
    .option('--webhook <id>', 'the past of a subscription, by id or uid')
    .option('--event <id>', 'one event, to all that it was owed to, or to --webhook alone')
    .option('--delivery <id>', 'one delivery, whatever came of it')
    .option(
      '--status <status>',
      'with --webhook: failed, skipped, success, joined by commas; failed when left out',
    )
    .option('-t, --type <pattern...>', 'with --webhook: only these types or patterns')
    .option('--since <time>', 'accepted since: a span before now (2h), a date or a time', (text) =>
      parseTime(text),
    )
    .option('--until <time>', 'accepted until', (text) => parseTime(text))
    .option('--backfill', 'also past events that the subscription wants now and was never owed')
    .option('--rate <count>', 'deliveries made due in a second, at most', parseCount)
    .option('--dry-run', 'only count')
    .option('--no-wait', 'do not show how it goes on')
    .addHelpText(
      'after',
      examples(
        ['posthorn replay --webhook crm:contacts --since 2d', 'what failed for good in two days'],
        ['posthorn replay --webhook crm:contacts --status failed,skipped --dry-run'],
        ['posthorn replay --event order-1001'],
        ['posthorn replay watch replay_8c1f', 'look again at one that goes on'],
      ),
    )
    .action(action<StartOptions>(shell, startReplay))
  replay.command('list').summary('the newest replays').action(action(shell, listReplays))
  replay
    .command('watch')
    .argument('<id>', 'a replay, replay_…')
    .summary('show how a replay goes on until it ends')
    .action(action(shell, watchReplay))
  replay
    .command('cancel')
    .argument('<id>', 'a replay, replay_…')
    .summary('end a replay; what it has made due is delivered all the same')
    .action(action(shell, cancelReplay))
}
