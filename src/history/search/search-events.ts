import { chunksOf } from '../../base/chunks.ts'
import { Yielder } from '../../base/concurrency/yielder.ts'
import { getBody } from '../../store/bodies.ts'
import { needlesOf, type PayloadSearch } from './needles.ts'
import { payloadHolds } from './payload-holds.ts'
import { type Candidate, findCandidates, type SearchStretch, searchedDownTo } from './searched-events.sql.ts'

/** Stretches that are looked through for one page, and payloads that are read from R2 for it. */
const TURNS_MAX = 5
const LARGE_PAYLOADS_MAX = 20
/** Payloads in R2 that are read at once: each may take 10 MB of memory. */
const LARGE_AT_ONCE = 4
/** Events that may hold what is searched for and are looked into at once. */
const CANDIDATES_MIN = 50
const CANDIDATES_MAX = 500
/** Steps for which looking into a payload counts. */
const STEPS_PER_PAYLOAD = 20_000

/** Numbers of events found, newest first; all from `searchedToSeq` up was looked at (0: all). */
export type FoundEvents = { seqs: number[]; searchedToSeq: number }

/** What one turn has found; `isSpent` where no more may be read from R2 for this page. */
type TurnFound = FoundEvents & { isSpent: boolean }

type SearchDeps = { db: D1Database; bodies: R2Bucket }

/** A search along a workspace's events, within the bounds of one page. */
export class EventSearch {
  readonly #deps: SearchDeps
  readonly #search: PayloadSearch
  readonly #needles: string[]
  readonly #yielder = new Yielder()
  #turns = TURNS_MAX
  #largeLeft = LARGE_PAYLOADS_MAX

  constructor(deps: SearchDeps, search: PayloadSearch) {
    this.#deps = deps
    this.#search = search
    this.#needles = needlesOf(search)
  }

  /** Finds at most `limit` events of a stretch; fewer, too, once the page's bounds are reached. */
  async find(stretch: SearchStretch, limit: number): Promise<FoundEvents> {
    const seqs: number[] = []
    let { maxSeq } = stretch
    while (this.#turns > 0 && maxSeq >= stretch.minSeq) {
      this.#turns--
      const found = await this.#turn({ ...stretch, maxSeq }, limit - seqs.length)
      seqs.push(...found.seqs)
      if (found.searchedToSeq === 0 || seqs.length >= limit)
        return { seqs, searchedToSeq: found.searchedToSeq }
      maxSeq = found.searchedToSeq - 1
      if (found.isSpent) break
    }
    return { seqs, searchedToSeq: maxSeq < stretch.minSeq ? 0 : maxSeq + 1 }
  }

  async #turn(stretch: SearchStretch, limit: number): Promise<TurnFound> {
    const { db } = this.#deps
    const { kind } = this.#search
    const downTo = await searchedDownTo(db, stretch)
    const candidatesMax = kind === 'text' ? Math.max(limit, CANDIDATES_MIN) : CANDIDATES_MAX
    const candidates = await findCandidates(
      db,
      { ...stretch, minSeq: downTo ?? stretch.minSeq },
      { kind, needles: this.#needles, limit: candidatesMax },
    )
    const { seqs, isSpent, lookedInto } = await this.#lookInto(candidates, limit)
    const last = candidates[lookedInto - 1]?.seq
    if (isSpent) return { seqs, searchedToSeq: last ?? stretch.maxSeq + 1, isSpent }
    const isCut = lookedInto < candidates.length || candidates.length === candidatesMax
    return { seqs, searchedToSeq: (isCut ? last : downTo) ?? 0, isSpent }
  }

  /** Looks into payloads until `limit` of them hold what is searched for, or no more may be read from R2. */
  async #lookInto(candidates: readonly Candidate[], limit: number) {
    const seqs: number[] = []
    for (const [n, group] of chunksOf(candidates, LARGE_AT_ONCE).entries()) {
      const before = n * LARGE_AT_ONCE
      const large = group.filter(({ bodyKey }) => bodyKey !== null).length
      if (large > this.#largeLeft) return { seqs, isSpent: true, lookedInto: before }
      this.#largeLeft -= large
      const held = await Promise.all(group.map((candidate) => this.#holds(candidate)))
      const found = group.filter((_, i) => held[i] === true).map(({ seq }) => seq)
      seqs.push(...found.slice(0, limit - seqs.length))
      if (seqs.length < limit) continue
      const at = candidates.findIndex(({ seq }) => seq === seqs.at(-1))
      return { seqs, isSpent: false, lookedInto: at + 1 }
    }
    return { seqs, isSpent: false, lookedInto: candidates.length }
  }

  /** Looks into a payload, where D1 has not done so. */
  async #holds(candidate: Candidate): Promise<boolean> {
    if (candidate.bodyKey === null && this.#search.kind === 'text') return true
    await this.#yielder.after(STEPS_PER_PAYLOAD)
    const large = candidate.bodyKey === null ? null : await getBody(this.#deps.bodies, candidate.bodyKey)
    const body = candidate.body ?? (large === null ? null : new TextDecoder().decode(large))
    return body !== null && payloadHolds({ ...candidate, body }, this.#search, this.#needles)
  }
}
