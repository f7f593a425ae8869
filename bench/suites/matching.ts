/** What matching costs as subscriptions grow in number: `node bench/suites/matching.ts`, or with a kind, for long enough to profile it. */

import { compileMatcher, type Matcher } from '../../src/match/matcher.ts'
import { compileRules } from '../../src/match/rules.ts'
import { requiredValues } from '../../src/match/value-index.ts'
import { type DraftEvent, draftView } from '../../src/model/event.ts'
import { COUNTS, KINDS, type Kind, routedSubscriptions } from '../fixtures/routed-subscriptions.ts'

/** Shares of the subscriptions that want the event. */
const SHARES = [0.01, 0.1, 1] as const
const ROUNDS = 7
/** Each round matches events until this time is up. */
const ROUND_MS = 8
/** For a profile: how long one measurement goes on. */
const PROFILED_ROUND_MS = 500
const CALLS_PER_LOOK = 16

const SETTINGS = { livemode: true, apiVersion: 'v1' }

/** The load driver's event (load.mjs), parsed, as publishing has it. */
const DRAFT: DraftEvent = {
  type: 'invoice.paid',
  ownId: null,
  timestamp: '2024-01-15T10:30:00.000Z',
  livemode: null,
  apiVersion: null,
  deliverAtMs: null,
  expiresAfterSeconds: null,
  data: {
    text: '',
    value: {
      object: {
        id: 'inv_1',
        invoiceNumber: 'INV-2024-1',
        customerId: 'cust_1',
        total: 2567.5,
        amountPaid: 2567.5,
        status: 'paid',
        customer: { id: 'c1', tags: ['vip'] },
      },
      previous_attributes: { amountPaid: 0, status: 'sent' },
    },
  },
  context: { text: '{}', value: {} },
  content: '',
}

function matcherOf(kind: Kind, count: number, wanting: number): Matcher {
  const subscriptions = routedSubscriptions(kind, count, wanting).map(({ events, rules }, at) => {
    const narrowed = rules && {
      livemode: null,
      apiVersion: null,
      rules: compileRules(rules),
      required: requiredValues(rules),
    }
    return { no: at + 1, active: true, events, narrowed }
  })
  return compileMatcher(subscriptions)
}

/** Median µs per event; fails when other subscriptions than intended want it, for then something else is measured. */
function measure(matcher: Matcher, wanting: number, roundMs: number): number {
  const match = () => matcher({ type: DRAFT.type, ...SETTINGS, view: () => draftView(DRAFT, SETTINGS) })
  const found = match().length
  if (found !== wanting) throw new Error(`${found} subscriptions want the event instead of ${wanting}`)
  timeRound(match, roundMs)
  const rounds = Array.from({ length: ROUNDS }, () => timeRound(match, roundMs))
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN
}

/** µs per call. The clock is only looked at now and then, since that takes longer than a match by type. */
function timeRound(match: () => unknown, roundMs: number): number {
  const startedMs = performance.now()
  for (let calls = CALLS_PER_LOOK; ; calls += CALLS_PER_LOOK) {
    for (let call = 0; call < CALLS_PER_LOOK; call++) match()
    const tookMs = performance.now() - startedMs
    if (tookMs >= roundMs) return (tookMs * 1000) / calls
  }
}

function row(kind: Kind, count: number, roundMs: number): string {
  const perEvent = SHARES.map((share) => {
    const wanting = count * share
    return Number.isInteger(wanting) ? measure(matcherOf(kind, count, wanting), wanting, roundMs) : null
  })
  const cell = (us: number | null) => (us === null ? '–' : us.toFixed(2)).padStart(10)
  const perPair = perEvent.map((us) => us && (us * 1000) / count)
  return `${kind.padEnd(12)}${String(count).padStart(6)}${perEvent.map(cell).join('')}   ${perPair.map(cell).join('')}`
}

const [only] = process.argv.slice(2)
const kinds = KINDS.filter((kind) => only === undefined || kind === only)
if (kinds.length === 0) {
  console.error(`node bench/suites/matching.ts [${KINDS.join(' | ')}]`)
  process.exitCode = 1
} else {
  const shares = SHARES.map((share) => `${share * 100} %`.padStart(10)).join('')
  console.log(
    `${''.padEnd(18)}${'µs per event'.padStart(30)}   ${'ns per event and subscription'.padStart(30)}`,
  )
  console.log(`${'wanted by'.padEnd(18)}${shares}   ${shares}`)
  for (const kind of kinds)
    for (const count of COUNTS) console.log(row(kind, count, only ? PROFILED_ROUND_MS : ROUND_MS))
}
