import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import type { WriteStream } from 'node:tty'
import { Interrupted } from '../failure/failure.ts'
import { terminalAsk } from './ask.ts'
import type { Output, Shell } from './shell.ts'

/** The shell of this process. The first Ctrl-C asks the command to stop, a second one ends it. */
export function processShell(): Shell {
  const controller = new AbortController()
  let isLent = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isLent && signal === 'SIGINT') return
      if (controller.signal.aborted) process.exit(130)
      controller.abort(new Interrupted())
    })
  }
  const { env } = process
  const err = outputOf(process.stderr, env)
  const canAsk = process.stdin.isTTY && err.isTerminal && !env['CI']
  return {
    env,
    out: outputOf(process.stdout, env),
    err,
    ask: canAsk ? terminalAsk(controller.signal) : null,
    signal: controller.signal,
    lendCtrlC: async (work) => {
      isLent = true
      try {
        return await work()
      } finally {
        isLent = false
      }
    },
    readStdin: () => (process.stdin.isTTY ? null : buffer(process.stdin)),
    nowMs: Date.now,
  }
}

function outputOf(stream: WriteStream, env: Shell['env']): Output {
  let isClosed = false
  // A reader that has enough is no failure of ours.
  stream.on('error', () => {
    isClosed = true
  })
  const isTerminal = stream.isTTY === true
  return {
    isTerminal,
    columns: () => (isTerminal ? stream.columns || 80 : Number.POSITIVE_INFINITY),
    hasColour: hasColour(isTerminal, env),
    write: (text) =>
      new Promise((resolve) => {
        if (isClosed) return resolve()
        // Told here too: the event comes after it.
        stream.write(text, (error) => {
          if (error) isClosed = true
          resolve()
        })
      }),
    isClosed: () => isClosed,
  }
}

/** https://no-color.org and its counterpart: set to anything but nothing, each decides. */
export function hasColour(isTerminal: boolean, env: Shell['env']): boolean {
  if (env['NO_COLOR']) return false
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return true
  return isTerminal && env['TERM'] !== 'dumb'
}
