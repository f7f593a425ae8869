import { parseCount, parseSeconds } from '../../arguments/time.ts'
import { type AddCommand, action, examples } from '../../command.ts'
import { type CreateOptions, createSubscription } from './create.ts'
import { type EditOptions, editSubscription } from './edit.ts'
import { getSubscription, type ListOptions, listSubscriptions } from './list.ts'
import {
  checkSubscription,
  deleteSubscription,
  type RotateOptions,
  rotateSecret,
  switchTo,
} from './switches.ts'

const SWITCHES = [
  ['pause', 'let deliveries wait'],
  ['resume', 'deliver what has waited'],
  ['enable', 'take events again'],
  ['disable', 'skip events until it is enabled'],
] as const

/** `posthorn subscriptions`. */
export const addSubscriptions: AddCommand = (parent, shell) => {
  const all = parent
    .command('subscriptions')
    .alias('subs')
    .summary('who gets which events')
    .description('Subscriptions, which the API calls webhooks. Each is named by its id or its uid.')
  for (const add of [addReading, addCreate, addEdit, addSwitches]) add(all, shell)
}

const addReading: AddCommand = (all, shell) => {
  all
    .command('list', { isDefault: true })
    .summary('subscriptions with their health (what `subscriptions` alone does)')
    .option('--health <health>', 'disabled, paused, failing, slow, unproven or healthy')
    .option('-s, --search <text>', 'a part of an id, the name, the description or the url')
    .option('--sort <order>', 'created, or by the last day: failures, rate, deliveries')
    .option('-n, --limit <count>', 'how many at most; 50 when left out', parseCount)
    .action(action<ListOptions>(shell, listSubscriptions))
  all
    .command('get')
    .argument('<id>')
    .summary('one subscription with its settings, as YAML')
    .action(action(shell, getSubscription))
}

const addCreate: AddCommand = (all, shell) => {
  all
    .command('create')
    .summary('subscribe a receiver')
    .option('--to <url>', 'where deliveries go')
    .option('-t, --type <pattern...>', 'types or patterns such as invoice.*, or * for all')
    .option('--uid <uid>', 'an id of your own: creating it again with the same settings changes nothing')
    .option('--name <name>', 'for people')
    .option('--secret <reference>', 'env:NAME; generated where it is left out')
    .option(
      '-f, --file <file>',
      'settings as YAML or JSON, which the options above complete; - for standard input',
    )
    .addHelpText(
      'after',
      examples(
        ['posthorn subscriptions create --to https://example.com/hooks -t "invoice.*" --uid crm:invoices'],
        ['posthorn subscriptions create --file crm.yaml'],
      ),
    )
    .action(action<CreateOptions>(shell, createSubscription))
}

const addEdit: AddCommand = (all, shell) => {
  all
    .command('edit')
    .argument('<id>')
    .summary('change settings in $EDITOR')
    .description('Opens the settings as YAML in $VISUAL or $EDITOR, and sends what has changed.')
    .option('-f, --file <file>', 'take the settings from a file instead; - for standard input')
    .action(action<EditOptions>(shell, editSubscription))
}

const addSwitches: AddCommand = (all, shell) => {
  for (const [name, summary] of SWITCHES) {
    all
      .command(name)
      .argument('<id>')
      .summary(summary)
      .action(action(shell, switchTo(name)))
  }
  all
    .command('delete')
    .argument('<id>')
    .summary('delete a subscription; what is outstanding is skipped')
    .action(action(shell, deleteSubscription))
  all
    .command('rotate')
    .argument('<id>')
    .summary('a new secret, beside which the old one signs for a while')
    .option(
      '--overlap <span>',
      'how long the old one signs too, such as 2h; a day when left out',
      parseSeconds,
    )
    .option('--secret <reference>', 'env:NAME; generated where it is left out')
    .action(action<RotateOptions>(shell, rotateSecret))
  all
    .command('check')
    .argument('<id>')
    .summary('can the relay reach it? says which step fails')
    .action(action(shell, checkSubscription))
}
