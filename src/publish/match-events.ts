import { Yielder } from '../base/concurrency/yielder.ts'
import { type Enforced, enforce } from '../catalogue/catalogue.ts'
import { CHECK_STEPS_MAX } from '../catalogue/schema/check.ts'
import { RequestSteps, type SharedSteps } from '../match/shared-steps.ts'
import { STEPS_ALWAYS } from '../match/step-budget.ts'
import { type DraftEvent, draftView } from '../model/event.ts'
import type { EventView } from '../model/event-view.ts'
import { ORDER_KEY_STEPS_MAX } from '../pacing/order-key.ts'
import type { NewEvent } from './commit/event-insert.sql.ts'
import type { CompiledConfiguration } from './configuration-cache.ts'
import type { Prepared, PublishOutcome } from './prepared-event.ts'

/** Deliveries that one request may cause. */
const PAIRS_PER_REQUEST_MAX = 100_000
/** Steps of schema checks that one request may take; one of its events may take a fifth. */
const CHECK_STEPS_PER_REQUEST_MAX = 5 * CHECK_STEPS_MAX
/** Steps of a match in the time of one of a check. */
const STEPS_PER_CHECK_STEP = 50
/** Steps that the rules for all events of one request may take: about a second, at worst two. */
export const MATCH_STEPS_PER_REQUEST_MAX = 40_000_000

/** An event that is not stored, and what its publisher is told. */
export type Refusal = { item: Prepared; outcome: PublishOutcome }

/** Events with their fan-outs, and refused ones; `hasObjections` if the catalogue had any. */
export type MatchedEvents = { items: Prepared[]; refused: Refusal[]; hasObjections: boolean }

/**
 * Checks the events of one request against the catalogue and finds the subscriptions that want
 * them. All events share one budget of steps, and others have their turn between them, and between
 * the rules of many subscriptions.
 */
export async function matchEvents(
  configuration: CompiledConfiguration,
  open: readonly Prepared[],
  stepsMax = MATCH_STEPS_PER_REQUEST_MAX,
): Promise<MatchedEvents> {
  const matched: MatchedEvents = { items: [], refused: [], hasObjections: false }
  const checks = new CatalogueChecks(configuration)
  const steps = new RequestSteps(stepsMax, open.length)
  const yielder = new Yielder()
  let pairs = 0
  for (const item of open) {
    const before = steps.walked + checks.walked
    const checked = checks.check(item.draft)
    matched.hasObjections ||= checked.kind !== 'ok'
    const shared = steps.open()
    const plan = planInTurns(configuration, item, shared)
    const { fanout, pacing, refused } = checked.kind === 'rejected' ? NOWHERE : await yielder.work(plan)
    steps.close(shared)
    await yielder.after(steps.walked + checks.walked - before)
    if (checked.kind === 'rejected') {
      matched.refused.push({ item, outcome: { kind: 'not_in_catalogue', details: checked.details } })
      continue
    }
    if (pairs + fanout.length > PAIRS_PER_REQUEST_MAX) {
      const outcome = { kind: 'fanout_too_large', pairsMax: PAIRS_PER_REQUEST_MAX } as const
      matched.refused.push({ item, outcome })
      continue
    }
    pairs += fanout.length
    const warnings = [
      ...(checked.kind === 'warned' ? checked.warnings : []),
      ...(refused === 0 ? [] : [tooComplex(refused, stepsMax)]),
    ]
    matched.items.push({ ...item, warnings, event: { ...item.event, fanout, ...pacing } })
  }
  return matched
}

function tooComplex(refused: number, stepsMax: number): string {
  const steps = stepsMax.toLocaleString('en-US')
  return `event: is too_complex for ${refused} subscriptions, which do not get it: the rules for all events of a request may take ${steps} steps together, and beyond them ${STEPS_ALWAYS} each; publish fewer events at once`
}

/** Checks events against the catalogue; all that are checked share the steps of one request. */
class CatalogueChecks {
  readonly #configuration: CompiledConfiguration
  #stepsLeft = CHECK_STEPS_PER_REQUEST_MAX

  /** The steps of matching that would have taken as long as all checks so far. */
  get walked(): number {
    return STEPS_PER_CHECK_STEP * (CHECK_STEPS_PER_REQUEST_MAX - this.#stepsLeft)
  }

  constructor(configuration: CompiledConfiguration) {
    this.#configuration = configuration
  }

  check({ type, data }: DraftEvent): Enforced {
    const { catalogue, settings } = this.#configuration
    const allowed = Math.min(this.#stepsLeft, CHECK_STEPS_MAX)
    const budget = { steps: allowed }
    const checked = enforce({ catalogue, settings }, { type, data: data.value }, budget)
    this.#stepsLeft -= allowed - Math.max(0, budget.steps)
    return checked
  }
}

type Pacing = Pick<NewEvent, 'waiting' | 'flushes'>

/** The subscriptions that get an event, how it waits for them, and how many could not be asked. */
type Plan = { fanout: readonly number[]; pacing: Pacing; refused: number }

/** Replaces what an earlier match of the same event, under other settings, may have found. */
const NONE_WAITING: Pacing = { waiting: [], flushes: [] }
const NOWHERE: Plan = { fanout: [], pacing: NONE_WAITING, refused: 0 }

function* planInTurns(
  configuration: CompiledConfiguration,
  item: Prepared,
  shared: SharedSteps,
): Generator<void, Plan, void> {
  const { settings, matcher } = configuration
  const { draft, exceptNo } = item
  let known: EventView | undefined
  const view = () => {
    known ??= draftView(draft, settings)
    return known
  }
  const livemode = draft.livemode ?? settings.livemode
  const apiVersion = draft.apiVersion ?? settings.apiVersion
  const wanted = yield* matcher.inTurns({ type: draft.type, livemode, apiVersion, view }, shared)
  const fanout = exceptNo === null ? wanted : wanted.filter((no) => Math.abs(no) !== exceptNo)
  const pacing = pacingOf(configuration, { type: draft.type, fanout, view }, shared)
  return { fanout, pacing, refused: shared.refused }
}

function pacingOf(
  { waiting }: CompiledConfiguration,
  { type, fanout, view }: { type: string; fanout: readonly number[]; view: () => EventView },
  shared: SharedSteps,
): Pacing {
  if (waiting === null) return NONE_WAITING
  return {
    waiting: waiting.waiting(fanout, view, (walk) => shared.walk(ORDER_KEY_STEPS_MAX, walk)),
    flushes: waiting.flushes(type),
  }
}
