import { readFileSync } from 'node:fs'
import type { Workspace } from './workspace.ts'

type Consumed = { messages: number }
type Status = { relay: { queues: readonly { messages: number | null }[] } }

/** Counts the queue messages sent so far: those consumed, by the log, and those waiting, by the status. */
export async function messagesSent(logPath: string, workspace: Workspace): Promise<number> {
  const consumed = consumedOf(logPath).reduce((sum, { messages }) => sum + messages, 0)
  const { relay } = (await workspace.ask('GET', '/status')) as Status
  const waiting = relay.queues.reduce((sum, { messages }) => sum + (messages ?? 0), 0)
  return consumed + waiting
}

function consumedOf(logPath: string): Consumed[] {
  return readFileSync(logPath, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const at = line.indexOf('{"event":"queue.consumed"')
      return at === -1 ? [] : [JSON.parse(line.slice(at)) as Consumed]
    })
}
