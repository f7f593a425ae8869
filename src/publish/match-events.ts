import { enforce } from '../catalogue/catalogue.ts'
import { CHECK_STEPS_MAX } from '../catalogue/schema/check.ts'
import { draftView } from '../model/event.ts'
import type { EventView } from '../model/event-view.ts'
import type { WaitingPlan } from '../pacing/waiting.ts'
import type { CompiledConfiguration } from './configuration-cache.ts'
import type { Prepared, PublishOutcome } from './prepared-event.ts'

/** Deliveries one request may cause. */
export const PAIRS_PER_REQUEST_MAX = 100_000
/** Steps that checking one request's events against their schemas may take, of which one event may take a fifth. */
const CHECK_STEPS_PER_REQUEST_MAX = 5 * CHECK_STEPS_MAX

/** Events with their fan-outs, those that are refused, and whether the catalogue objected to any. */
export type MatchedEvents = { items: Prepared[]; refused: Prepared[]; objections: boolean }

/** Checks events against the catalogue and finds who wants them; outcomes of those that are refused are filled in. */
export function matchEvents(
  configuration: CompiledConfiguration,
  open: readonly Prepared[],
  outcomes: PublishOutcome[],
): MatchedEvents {
  const { settings, matcher, catalogue, waiting } = configuration
  const result: MatchedEvents = { items: [], refused: [], objections: false }
  let stepsLeft = CHECK_STEPS_PER_REQUEST_MAX
  let pairs = 0
  for (const item of open) {
    const { draft } = item
    const allowed = Math.min(stepsLeft, CHECK_STEPS_MAX)
    const budget = { steps: allowed }
    const checked = enforce({ catalogue, settings }, { type: draft.type, data: draft.data.value }, budget)
    stepsLeft -= allowed - Math.max(0, budget.steps)
    result.objections ||= checked.kind !== 'ok'
    if (checked.kind === 'rejected') {
      outcomes[item.at] = { kind: 'not_in_catalogue', details: checked.details }
      result.refused.push(item)
      continue
    }
    const view = () => draftView(draft, settings)
    const wanting = matcher({
      type: draft.type,
      livemode: draft.livemode ?? settings.livemode,
      apiVersion: draft.apiVersion ?? settings.apiVersion,
      view,
    })
    const { exceptNo } = item
    const fanout = exceptNo === null ? wanting : wanting.filter((no) => Math.abs(no) !== exceptNo)
    if (pairs + fanout.length > PAIRS_PER_REQUEST_MAX) {
      outcomes[item.at] = { kind: 'fanout_too_large', pairsMax: PAIRS_PER_REQUEST_MAX }
      result.refused.push(item)
      continue
    }
    pairs += fanout.length
    const warnings = checked.kind === 'warned' ? checked.warnings : []
    const pacing = waiting === null ? NOT_PACED : pacingOf(waiting, draft.type, fanout, view)
    result.items.push({ ...item, warnings, event: { ...item.event, fanout, ...pacing } })
  }
  return result
}

const NOT_PACED = { waiting: [], flushes: [] }

function pacingOf(waiting: WaitingPlan, type: string, fanout: readonly number[], view: () => EventView) {
  return { waiting: waiting.waiting(fanout, view), flushes: waiting.flushes(type) }
}
