import type { Command } from 'commander'
import type { CallOptions, Posthorn } from '../../client/src/index.ts'
import { type Connection, type ConnectionFlags, clientOf, findConnection } from './connection/connection.ts'
import { requireWorkspace } from './connection/require-workspace.ts'
import type { Shell } from './shell/shell.ts'
import { Waiting } from './shell/waiting.ts'

/** Options that every command has. */
export type GlobalOptions = ConnectionFlags & { json?: boolean; yes?: boolean; color?: boolean }

/** The circumstances of one call of a command. */
export type Context = {
  shell: Shell
  globals: GlobalOptions
  /** True for machines: one JSON document, or one a line. */
  isJson: boolean
  /** True where the command may do what it would ask about. */
  isConfirmed: boolean
  /** For every call of the client: Ctrl-C ends it. */
  call: CallOptions
  /** Finds where the command goes; fails before anything is done where that is nowhere. */
  connect: () => Promise<Connected>
}

type Connected = { posthorn: Posthorn; connection: Connection }

/** The arguments of one call, as the parser gives them. */
export type Given<O> = { args: string[]; options: O }
type Work<O> = (context: Context, given: Given<O>) => Promise<void>

/** Adds a command to its parent. */
export type AddCommand = (parent: Command, shell: Shell) => void

/** Makes a parser's action of a command's work. */
export function action<O extends object>(
  shell: Shell,
  work: Work<O>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command
    const waiting = new Waiting(shell)
    const context = contextOf(waiting, command.optsWithGlobals<GlobalOptions>())
    try {
      await work(context, { args: command.args, options: command.opts<O>() })
    } finally {
      waiting.end()
    }
  }
}

function contextOf(waiting: Waiting, globals: GlobalOptions): Context {
  const shell = globals.color === false ? withoutColour(waiting.shell()) : waiting.shell()
  const { signal } = shell
  let connected: Promise<Connected> | null = null
  return {
    shell,
    globals,
    isJson: globals.json === true,
    isConfirmed: globals.yes === true,
    call: { signal },
    connect: () => {
      connected ??= connect(shell, globals, waiting)
      return connected
    },
  }
}

async function connect(shell: Shell, globals: GlobalOptions, waiting: Waiting): Promise<Connected> {
  const connection = await findConnection(shell.env, globals)
  const posthorn = clientOf(connection)
  waiting.begin(connection.url)
  if (connection.isNamedHere) await requireWorkspace(connection, shell.signal)
  return { posthorn, connection }
}

function withoutColour(shell: Shell): Shell {
  const plain = { hasColour: false }
  return { ...shell, out: { ...shell.out, ...plain }, err: { ...shell.err, ...plain } }
}

/** The part of a help that shows how a command is used: lines of a command and what it does. */
export function examples(...lines: [command: string, does?: string][]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  const shown = lines.map(([command, does]) =>
    does === undefined ? `  $ ${command}` : `  $ ${command.padEnd(width)}  # ${does}`,
  )
  return `\nExamples:\n${shown.join('\n')}`
}
