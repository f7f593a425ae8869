import type { Problem } from '../model/errors.ts'
import { JSON_TYPE, outputFormat } from './content-type.ts'
import { SharedWork } from './liquid/budget.ts'
import { riskyOutputs } from './liquid/json-places.ts'
import { compileTemplate } from './liquid/tree.ts'
import { compileTransform, type Transform } from './transform.ts'

/** An event to try a template with; `isMadeUp` where nothing is known of its data. */
export type TrialEvent = { type: string; data: unknown; isMadeUp: boolean }

/** Most examples that a template is tried with. */
const TRIALS_MAX = 5
/** Work of all trials of one save. */
const TRIAL_WORK_MAX = 10_000_000
/** Most outputs that are named. */
const OUTPUTS_MAX = 10
const ADVICE =
  'write JSON with "| json" behind every value, make the template an object, or give transform.contentType, such as text/plain'

/**
 * Warns of a template that will not give what its content type says for some event: by its outputs,
 * and by trial renderings. Its deliveries would fail for good, as a repeated rendering is the same.
 */
export function templateWarnings(transform: Transform, events: readonly TrialEvent[]): Problem[] {
  const outputs = outputWarnings(transform)
  const examples = events.filter(({ isMadeUp }) => !isMadeUp).slice(0, TRIALS_MAX)
  const madeUp = outputs.length > 0 ? [] : events.filter(({ isMadeUp }) => isMadeUp).slice(0, 1)
  const trials = trialWarnings(transform, [...examples, ...madeUp])
  return [...outputs, ...trials]
}

/** Names outputs of a body of JSON in one text that need `| json`. An object's texts are escaped. */
function outputWarnings({ template, contentType = JSON_TYPE }: Transform): Problem[] {
  if (typeof template !== 'string' || outputFormat(contentType) !== 'json') return []
  const compiled = compileTemplate(template)
  if (compiled.kind === 'refused' || compiled.root.kind !== 'string') return []
  const { compiled: text } = compiled.root
  if (text.kind !== 'text') return []
  return riskyOutputs(text.templates)
    .slice(0, OUTPUTS_MAX)
    .map(({ source, place, position }) => ({
      path: 'transform.template',
      message:
        place === 'inside a text'
          ? `${source} stands between quotes (${position}): a quote or a line break in its value leaves no JSON, and the delivery fails. Write it without the quotes and with "| json" at its end; "append" and "prepend" add what stands around it`
          : `${source} has no "| json" at its end (${position}): where it finds nothing, or a text, there is no JSON, and the delivery fails`,
    }))
}

function trialWarnings(transform: Transform, events: readonly TrialEvent[]): Problem[] {
  const render = compileTransform(transform)
  const shared = new SharedWork(TRIAL_WORK_MAX)
  const warnings = new Map<string, Problem>()
  for (const { type, data, isMadeUp } of events) {
    const rendered = render({ text: trialText(type, data) }, shared)
    // Beyond the trials' own work a failure says nothing about a delivery.
    if (shared.left <= 0) break
    if (rendered.kind === 'rendered') continue
    const givesNoJson = rendered.message.startsWith('must give JSON')
    // Real data may always have what a filter cannot do without.
    if (isMadeUp && !givesNoJson && events.length > 1) continue
    const subject = isMadeUp ? 'an event without data' : `the example of ${type}`
    const path = `transform.${rendered.path}`
    const message = `fails for ${subject}: ${rendered.message}${givesNoJson ? `; ${ADVICE}` : ''}`
    warnings.set(path, { path, message })
  }
  return [...warnings.values()]
}

function trialText(event: string, data: unknown): string {
  const timestamp = '2026-01-01T00:00:00.000Z'
  return JSON.stringify({
    id: 'evt_01jzk21f1tx49yh06gh',
    event,
    timestamp,
    livemode: true,
    api_version: 'v1',
    data,
    context: {},
  })
}
