import { type Enforced, enforce } from '../catalogue/catalogue.ts'
import { CHECK_STEPS_MAX } from '../catalogue/schema/check.ts'
import { type DraftEvent, draftView } from '../model/event.ts'
import type { NewEvent } from './commit/event-insert.sql.ts'
import type { CompiledConfiguration } from './configuration-cache.ts'
import type { Prepared, PublishOutcome } from './prepared-event.ts'

/** Deliveries that one request may cause. */
const PAIRS_PER_REQUEST_MAX = 100_000
/** Steps of schema checks that one request may take; one of its events may take a fifth. */
const CHECK_STEPS_PER_REQUEST_MAX = 5 * CHECK_STEPS_MAX

/** An event that is not stored, and what its publisher is told. */
export type Refusal = { item: Prepared; outcome: PublishOutcome }

/** Events with their fan-outs, and refused ones; `hasObjections` if the catalogue had any. */
export type MatchedEvents = { items: Prepared[]; refused: Refusal[]; hasObjections: boolean }

/**
 * Checks the events of one request against the catalogue and finds the subscriptions that want
 * them.
 */
export function matchEvents(configuration: CompiledConfiguration, open: readonly Prepared[]): MatchedEvents {
  const matched: MatchedEvents = { items: [], refused: [], hasObjections: false }
  const checks = new CatalogueChecks(configuration)
  let pairs = 0
  for (const item of open) {
    const checked = checks.check(item.draft)
    matched.hasObjections ||= checked.kind !== 'ok'
    if (checked.kind === 'rejected') {
      matched.refused.push({ item, outcome: { kind: 'not_in_catalogue', details: checked.details } })
      continue
    }
    const fanout = fanoutOf(configuration, item)
    if (pairs + fanout.length > PAIRS_PER_REQUEST_MAX) {
      const outcome = { kind: 'fanout_too_large', pairsMax: PAIRS_PER_REQUEST_MAX } as const
      matched.refused.push({ item, outcome })
      continue
    }
    pairs += fanout.length
    const warnings = checked.kind === 'warned' ? checked.warnings : []
    const event = { ...item.event, fanout, ...pacingOf(configuration, item.draft, fanout) }
    matched.items.push({ ...item, warnings, event })
  }
  return matched
}

/** Checks events against the catalogue; all that are checked share the steps of one request. */
class CatalogueChecks {
  readonly #configuration: CompiledConfiguration
  #stepsLeft = CHECK_STEPS_PER_REQUEST_MAX

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

function fanoutOf(
  { settings, matcher }: CompiledConfiguration,
  { draft, exceptNo }: Prepared,
): readonly number[] {
  const fanout = matcher({
    type: draft.type,
    livemode: draft.livemode ?? settings.livemode,
    apiVersion: draft.apiVersion ?? settings.apiVersion,
    view: () => draftView(draft, settings),
  })
  return exceptNo === null ? fanout : fanout.filter((no) => Math.abs(no) !== exceptNo)
}

/** Replaces what an earlier match of the same event, under other settings, may have found. */
const NONE_WAITING = { waiting: [], flushes: [] }

function pacingOf(
  { settings, waiting }: CompiledConfiguration,
  draft: DraftEvent,
  fanout: readonly number[],
): Pick<NewEvent, 'waiting' | 'flushes'> {
  if (waiting === null) return NONE_WAITING
  return {
    waiting: waiting.waiting(fanout, () => draftView(draft, settings)),
    flushes: waiting.flushes(draft.type),
  }
}
