import type { HintSender } from '../../hints/hint-sender.ts'
import { deleteBodies } from '../../store/bodies.ts'
import { cancelEvent as cancelInStore, eraseEvent as eraseInStore } from './end-event.sql.ts'

export type EndEventDeps = {
  db: D1Database
  bodies: R2Bucket
  now: () => number
  hints: Pick<HintSender, 'paced'>
  /** Keeps work alive after the answer. */
  background: (work: Promise<unknown>) => void
}

type EventKey = { workspaceNo: number; seq: number }

/**
 * Ends every outstanding delivery of an event, and lets go what waited behind them. Answers how many
 * it ended; none when it is called again.
 */
export async function cancelEvent(deps: EndEventDeps, event: EventKey): Promise<number> {
  const { deliveries, pacedNos } = await cancelInStore(deps.db, event, deps.now())
  hintFollowers(deps, pacedNos)
  return deliveries
}

/** Cancels an event and erases its content everywhere; only its trace stays. It cannot be undone. */
export async function eraseEvent(deps: EndEventDeps, event: EventKey): Promise<void> {
  const { pacedNos, bodyKeys } = await eraseInStore(deps.db, event, deps.now())
  hintFollowers(deps, pacedNos)
  await deleteBodies(deps.bodies, bodyKeys)
}

/** Has the deliveries looked at that waited behind the ended ones, in an order or for a batch. */
function hintFollowers({ hints, background }: EndEventDeps, pacedNos: readonly number[]): void {
  if (pacedNos.length > 0) background(hints.paced(pacedNos.map((no) => ({ no }))))
}
