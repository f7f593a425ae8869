import type { Schemas } from '../../api/schemas.ts'
import type { InWords } from '../../words/health.ts'
import { countOf } from '../../words/numbers.ts'
import { lengthInWords } from '../../words/time.ts'

type Job = Schemas['Job']

/** How a job is doing; null for one that has never run. */
export function jobInWords(job: Job | null): InWords {
  if (job === null) return { tone: 'off', label: 'Not yet', sentence: 'It has not run yet.' }
  const { ranAt, ageSeconds, overdue, failed, error, truncated } = job
  const age = ageSeconds === null ? '' : lengthInWords(ageSeconds * 1_000)
  const ran = ranAt === null ? 'It has never run' : `It ran ${age} ago`
  if (overdue)
    return {
      tone: 'bad',
      label: 'Overdue',
      sentence: `${ran}, and should have run again since.`,
      advice: 'Look at the cron triggers of the Worker, and for its lines "sweep.failed" and "purge.failed".',
    }
  if (failed > 0 || error !== null)
    return {
      tone: 'bad',
      label: 'Failing',
      sentence: `${ran}; ${countOf(failed, 'workspace')} could not be done.${error === null ? '' : ` ${error}`}`,
      advice: 'What failed is tried again by the next run.',
    }
  if (truncated)
    return {
      tone: 'warning',
      label: 'Behind',
      sentence: `${ran} and ended before its work was done: the next run goes on. Look again if this lasts.`,
    }
  if (ranAt === null) return { tone: 'off', label: 'Not yet', sentence: 'It has not run yet.' }
  return { tone: 'good', label: 'Runs', sentence: `${ran}.` }
}

const FIGURES: Record<string, readonly [one: string, several: string]> = {
  reaped: ['claim of a dead consumer freed', 'claims of dead consumers freed'],
  scanned: ['event looked at', 'events looked at'],
  rehinted: ['hint sent again', 'hints sent again'],
  rowsGiven: ['lost delivery found', 'lost deliveries found'],
  dueSubscriptions: ['subscription with due deliveries', 'subscriptions with due deliveries'],
  woken: ['consumer woken', 'consumers woken'],
  folded: ['claim added to the statistics', 'claims added to the statistics'],
  replays: ['replay continued', 'replays continued'],
  events: ['event removed', 'events removed'],
  deliveries: ['delivery removed', 'deliveries removed'],
  expired: ['delivery ended before it was made', 'deliveries ended before they were made'],
  archives: ['archive written', 'archives written'],
}

/** What a run has done, without what it had nothing of. */
export function figuresInWords(figures: Job['figures']): string[] {
  const words = Object.entries(figures).flatMap(([name, count]) => {
    const [one, several] = FIGURES[name] ?? [name, name]
    return count === 0 ? [] : [countOf(count, one, several)]
  })
  return words.length === 0 ? ['nothing had to be done'] : words
}
