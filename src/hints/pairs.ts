import type { Pair } from '../model/delivery.ts'
import { PAIRS_PER_HINT, type PairsHint } from './hint.ts'

/** Hints that name these deliveries, in their order, each for one workspace and at most `pairsMax` of them. */
export function pairsHints(pairs: Iterable<Pair>, pairsMax = PAIRS_PER_HINT): PairsHint[] {
  const hints: PairsHint[] = []
  let size = 0
  for (const { workspaceNo, subscriptionNo, seq } of pairs) {
    let hint = hints.at(-1)
    // Distances count upwards: an event before the first one begins a hint of its own.
    if (hint === undefined || hint.workspaceNo !== workspaceNo || seq < hint.firstSeq || size === pairsMax) {
      hint = { v: 1, kind: 'pairs', workspaceNo, firstSeq: seq, fanouts: [] }
      hints.push(hint)
      size = 0
    }
    const last = hint.fanouts.at(-1)
    if (last?.[0] === seq - hint.firstSeq) last.push(subscriptionNo)
    else hint.fanouts.push([seq - hint.firstSeq, subscriptionNo])
    size++
  }
  return hints
}

/** The deliveries that a hint names, in its order. */
export function pairsOf({ workspaceNo, firstSeq, fanouts }: PairsHint): Pair[] {
  return fanouts.flatMap(([distance = 0, ...subscriptionNos]) =>
    subscriptionNos.map((subscriptionNo) => ({ workspaceNo, subscriptionNo, seq: firstSeq + distance })),
  )
}
