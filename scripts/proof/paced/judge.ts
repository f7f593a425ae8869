import type { Kills } from '../kills.ts'
import type { LogRow } from './log.ts'
import type { Arrived, PacedRequest } from './receiver.ts'

/** What a subscription was promised. */
export type PacedTerms = {
  path: string
  /** Events in one batch at most; null: each goes alone. */
  maxEvents: number | null
  /** What keeps its order: each key by itself, or everything together. */
  order: 'key' | 'all' | null
}

/** Everything that is known of a subscription when all has settled. */
export type PacedEvidence = {
  terms: PacedTerms
  /** In accepted order. */
  log: readonly LogRow[]
  /** In order of arrival. */
  requests: readonly PacedRequest[]
  accepted: ReadonlySet<string>
  kills: Kills
}

/** What came of it: counts for people, and what did not hold, each with its path. */
export type PacedVerdict = { doubled: number; violations: string[] }

/** Holds what arrived against what was accepted, against the relay's own account, and against the order asked for. */
export function judgePaced(evidence: PacedEvidence): PacedVerdict {
  const { terms } = evidence
  const doubles = doublesOf(evidence)
  const found = [
    ...missingOf(evidence),
    ...doubles.unexplained,
    ...(terms.maxEvents === null ? [] : companyOf(evidence)),
    ...(terms.order === null ? [] : disorderOf(evidence, terms.order)),
  ]
  const more = found.length > 5 ? [`${terms.path}: ${found.length - 5} more`] : []
  return {
    doubled: doubles.cutOff,
    violations: [...found.slice(0, 5).map((line) => `${terms.path}: ${line}`), ...more],
  }
}

function missingOf({ log, requests, accepted }: PacedEvidence): string[] {
  const logged = new Set(log.map(({ eventId }) => eventId))
  const arrived = new Set(successes(requests).flatMap(({ members }) => members.map(({ id }) => id)))
  return [
    ...[...accepted].filter((id) => !logged.has(id)).map((id) => `${id} was accepted and is not in the log`),
    ...log.filter(({ eventId }) => !arrived.has(eventId)).map(({ eventId }) => `${eventId} never arrived`),
    ...log
      .filter(({ status }) => status !== 'success')
      .map(({ eventId, status }) => `${eventId} is ${status} by the log`),
    ...[...arrived].filter((id) => !logged.has(id)).map((id) => `${id} arrived and is not in the log`),
  ]
}

/** Successes that were repeated: those with a kill soon after the earlier one, and all others. */
function doublesOf({ requests, kills }: PacedEvidence): { cutOff: number; unexplained: string[] } {
  let cutOff = 0
  const unexplained: string[] = []
  for (const [id, times] of Map.groupBy(successes(requests), (request) => request.id)) {
    times.slice(1).forEach((later, i) => {
      const earlier = times[i] ?? later
      if (kills.cutOffMs(earlier.atMs, later.atMs) !== null) cutOff++
      else
        unexplained.push(`${id} came twice, ${later.atMs - earlier.atMs} ms apart, without a kill in between`)
    })
  }
  return { cutOff, unexplained }
}

/** Whether each event went in the batch that the log names and in no other, and each batch in the same company each time. */
function companyOf({ log, requests, terms }: PacedEvidence): string[] {
  const places = new Map(log.map(({ eventId }, place) => [eventId, place]))
  const batchOf = new Map(log.map(({ eventId, batchId }) => [eventId, batchId]))
  const found: string[] = []
  for (const [id, group] of Map.groupBy(requests, (request) => request.id)) {
    found.push(...companyFaults(id, group, { maxEvents: terms.maxEvents ?? 0, places }))
    const strangers = (group[0]?.members ?? []).filter((member) => batchOf.get(member.id) !== id)
    for (const member of strangers) {
      found.push(`${member.id} was in batch ${id}, and is in ${batchOf.get(member.id) ?? 'none'} by the log`)
    }
  }
  return found
}

function companyFaults(
  id: string,
  group: readonly PacedRequest[],
  { maxEvents, places }: { maxEvents: number; places: ReadonlyMap<string, number> },
): string[] {
  const company = ({ members }: PacedRequest) => members.map((member) => member.id).join(' ')
  const [first] = group
  if (first === undefined) return []
  const faults: string[] = []
  if (!first.isBatch) faults.push(`${id} did not go as a batch`)
  if (group.some((request) => company(request) !== company(first))) faults.push(`${id} changed its members`)
  if (first.members.length > maxEvents) faults.push(`${id} has ${first.members.length} members`)
  const order = first.members.map((member) => places.get(member.id) ?? -1)
  if (order.some((place, i) => i > 0 && place <= (order[i - 1] ?? 0))) faults.push(`${id} is out of order`)
  return faults
}

/** When an event came for the first time at all, and when it was taken for the first time. */
type Visit = Arrived & { cameNo: number; takenNo: number }

/** Of each key: every event first comes after the one accepted before it has been taken, or right behind it in its batch. */
function disorderOf({ log, requests }: PacedEvidence, order: 'key' | 'all'): string[] {
  const visits = visitsOf(requests)
  const accepted = log.flatMap(({ eventId }) => visits.get(eventId) ?? [])
  const byNumber = [...Map.groupBy(accepted, ({ key }) => key)].flatMap(([key, chain]) =>
    chain.some(({ n }, i) => n <= (chain[i - 1]?.n ?? 0))
      ? [`the events of ${key} were not accepted in the order they were published in`]
      : [],
  )
  const chains = Map.groupBy(accepted, ({ key }) => (order === 'key' ? key : ''))
  const early = [...chains.values()].flatMap((chain) =>
    chain.flatMap((visit, i) => {
      const before = chain[i - 1]
      if (before === undefined || before.takenNo < visit.cameNo || isBehind(before, visit)) return []
      return [`${visit.id} came before ${before.id} had been taken`]
    }),
  )
  return [...byNumber, ...early]
}

/** Whether both first came in one request; their order in it is judged with its company. */
function isBehind(before: Visit, visit: Visit): boolean {
  return before.cameNo === visit.cameNo
}

function visitsOf(requests: readonly PacedRequest[]): Map<string, Visit> {
  const visits = new Map<string, Visit>()
  for (const request of requests) {
    for (const member of request.members) {
      const visit = visits.get(member.id) ?? {
        ...member,
        ...{ cameNo: request.arrivedNo, takenNo: Number.POSITIVE_INFINITY },
      }
      visits.set(member.id, visit)
      if (request.isSuccess) visit.takenNo = Math.min(visit.takenNo, request.answeredNo)
    }
  }
  return visits
}

function successes(requests: readonly PacedRequest[]): PacedRequest[] {
  return requests.filter(({ isSuccess }) => isSuccess)
}
