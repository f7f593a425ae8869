import { Command } from 'commander'
import type { AddCommand } from './command.ts'
import { addTypes } from './commands/catalogue/types.ts'
import { addCompletion } from './commands/completion.ts'
import { addApply } from './commands/configuration/apply.ts'
import { addExport } from './commands/configuration/export.ts'
import { addDeliveries } from './commands/deliveries/deliveries.ts'
import { addDev } from './commands/dev.ts'
import { addEvents } from './commands/events/events.ts'
import { addListen } from './commands/listen.ts'
import { addLogin } from './commands/login.ts'
import { addPublish } from './commands/publish/publish.ts'
import { addReplay } from './commands/replay/replay.ts'
import { addRetry } from './commands/retry.ts'
import { addStatus } from './commands/status.ts'
import { addSubscriptions } from './commands/subscriptions/subscriptions.ts'
import { addTail } from './commands/tail.ts'
import { addTrigger } from './commands/trigger.ts'
import { addVerify } from './commands/verify/verify.ts'
import type { Shell } from './shell/shell.ts'

/** Set by the build. */
declare const POSTHORN_VERSION: string | undefined

const GROUPS: [title: string, ...add: AddCommand[]][] = [
  ['Begin', addLogin, addStatus, addDev, addCompletion],
  ['Publish', addPublish, addTrigger],
  ['Look', addEvents, addDeliveries, addTail, addListen, addVerify],
  ['Again', addRetry, addReplay],
  ['Set up', addSubscriptions, addTypes, addExport, addApply],
]

const NOTES = `
Where a command goes is said by its options, by POSTHORN_URL, POSTHORN_KEY and
POSTHORN_WORKSPACE, or by the login. It ends with 0 once it is done; the other
numbers, and each command by task: docs/command-line.md.

Examples:
  $ posthorn login
  $ posthorn publish invoice.paid --data '{"object": {"id": "inv_1"}}'
  $ posthorn deliveries --status failed
`

/** Makes the parser of all commands. It throws where others would end the process. */
export function makeProgram(shell: Shell): Command {
  const program = new Command('posthorn')
    .description('Posthorn, a webhook relay, from the command line.')
    .version(typeof POSTHORN_VERSION === 'string' ? POSTHORN_VERSION : '0.0.0', '-v, --version')
    .option('--url <url>', 'the relay, such as https://hooks.example.com')
    .option('-w, --workspace <id>', 'the workspace to act in, for the operator’s key')
    .option('--profile <name>', 'which login counts')
    .option('--json', 'for machines: one JSON document, or one on each line of a stream')
    .option('-y, --yes', 'do what would be asked about')
    .option('--no-color', 'without colours, as NO_COLOR=1 does')
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(shell.out.columns(), 110) })
    .addHelpText('after', NOTES)
    .showSuggestionAfterError(true)
  for (const [title, ...adds] of GROUPS) {
    program.commandsGroup(`${title}:`)
    for (const add of adds) add(program, shell)
  }
  return letThrow(program, shell)
}

/** Lets a command and those below it write to the shell, and throw instead of ending the process. */
function letThrow(command: Command, shell: Shell): Command {
  command.exitOverride().configureOutput({
    writeOut: (text) => void shell.out.write(text),
    writeErr: (text) => void shell.err.write(text),
    getOutHelpWidth: () => Math.min(shell.out.columns(), 110),
    getErrHelpWidth: () => Math.min(shell.err.columns(), 110),
    getOutHasColors: () => shell.out.hasColour,
    getErrHasColors: () => shell.err.hasColour,
    outputError: () => undefined,
  })
  for (const each of command.commands) letThrow(each, shell)
  return command
}
