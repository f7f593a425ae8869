import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import type { Pair } from '../model/delivery.ts'

/** A range of events whose first attempts are wanted; `subscriptions` narrows it, null means all. */
export type EventRange = {
  workspaceNo: number
  firstSeq: number
  lastSeq: number
  subscriptions: readonly number[] | null
}

/** Fan-outs read at once: the largest have 10,000 entries of some seven characters. */
const EVENTS_PER_READ = 50

const READ_FANOUTS = `SELECT e.pk & ${SEQ_MAX} AS seq, e.fanout FROM event e
WHERE e.pk BETWEEN (?1 << ${SEQ_BITS}) | ?2 AND (?1 << ${SEQ_BITS}) | ?3 ORDER BY e.pk LIMIT ?4`

/** The deliveries owed of a range of events, in accepted order, some at a time. Rejects when D1 fails. */
export async function* owedPairs(db: D1Database, range: EventRange): AsyncGenerator<Pair[]> {
  const { workspaceNo, lastSeq } = range
  const wanted = range.subscriptions === null ? null : new Set(range.subscriptions)
  for (let firstSeq = range.firstSeq; firstSeq <= lastSeq; ) {
    const { results } = await db
      .prepare(READ_FANOUTS)
      .bind(workspaceNo, firstSeq, lastSeq, EVENTS_PER_READ)
      .all<{ seq: number; fanout: string }>()
    yield results.flatMap(({ seq, fanout }) =>
      (JSON.parse(fanout) as number[])
        .filter((no) => no > 0 && (wanted === null || wanted.has(no)))
        .map((subscriptionNo) => ({ workspaceNo, subscriptionNo, seq })),
    )
    const last = results.at(-1)
    if (last === undefined || results.length < EVENTS_PER_READ) return
    firstSeq = last.seq + 1
  }
}
