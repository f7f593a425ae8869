import { counted, type LineFields, number, type Sentence, text } from './sentence.ts'

/** `queue.consumed` and `queue.left`: silent while all goes well, as each delivery has a sentence of its own. */
export function consumedSentence(fields: LineFields): Sentence | null {
  const queue = text(fields, 'queue') || 'a queue'
  const failure = text(fields, 'failure')
  if (failure !== '') {
    return warning(
      fields.event,
      `Working on ${queue} stopped early: ${failure}`,
      'It is tried again within a minute.',
    )
  }
  const unsettled = number(fields, 'unsettled')
  if (unsettled > 0) {
    return warning(
      fields.event,
      `The outcomes of ${counted(unsettled, 'delivery')} could not be written: ${text(fields, 'unsettledError')}`,
      'They are made again in 90 seconds, under the same webhook-id. Look at the disk that holds the state.',
    )
  }
  const invalid = number(fields, 'invalid')
  if (invalid === 0) return null
  return warning(
    fields.event,
    `${counted(invalid, 'message')} of ${queue} were no hints and are dropped.`,
    'Something else writes to this queue.',
  )
}

/** `sweep.completed`: silent unless something had been interrupted or lost. */
export function sweptSentence(fields: LineFields): Sentence | null {
  const [reaped, rehinted, given] = ['reaped', 'rehinted', 'rowsGiven'].map((name) => number(fields, name))
  const found = [
    reaped ? `${counted(reaped, 'claim')} of consumers that died` : '',
    rehinted ? `${counted(rehinted, 'event')} whose hint was lost` : '',
    given ? `${counted(given, 'delivery')} that waited ten minutes` : '',
  ].filter((part) => part !== '')
  return found.length === 0 ? null : { kind: 'info', title: 'resumed', text: found.join(', ') }
}

/** `purge.completed`: silent unless something was removed, or could not be. */
export function purgedSentence(fields: LineFields): Sentence | null {
  const failed = number(fields, 'failed')
  if (failed > 0) {
    return warning(
      fields.event,
      `The purge of ${counted(failed, 'workspace')} failed: ${text(fields, 'error')}`,
      'Nothing of them was lost. It is tried again in two minutes.',
    )
  }
  const events = number(fields, 'events')
  if (events === 0) return null
  const expired = number(fields, 'expired')
  const undelivered = expired === 0 ? '' : `; ${counted(expired, 'delivery')} had still been outstanding`
  const archived = number(fields, 'archives') === 0 ? '' : ', archived before'
  return {
    kind: 'info',
    title: 'purged',
    text: `${counted(events, 'event')} past their retention${archived}${undelivered}`,
  }
}

/** `erase.completed`: silent until nothing of a workspace is left, unless something could not be removed. */
export function erasedSentence(fields: LineFields): Sentence | null {
  if (number(fields, 'failed') > 0) {
    return warning(
      fields.event,
      `A deleted workspace could not be erased: ${text(fields, 'error')}`,
      'It is gone on with in the next run.',
    )
  }
  const ended = number(fields, 'ended')
  if (ended === 0) return null
  return { kind: 'info', title: 'erased', text: `${counted(ended, 'workspace')}, with all that was in it` }
}

const LATE_HINTS = 'Nothing is lost: the next sweep looks for what waits.'

/** What went wrong in words, and what follows from it or is to be done. */
const WARNINGS: Record<string, readonly [text: string, next: string]> = {
  'sweep.failed': [
    'The sweep failed',
    'It is tried again in 15 seconds; until one succeeds, lost hints wait.',
  ],
  'purge.failed': ['The purge failed', 'It is tried again in two minutes; nothing is lost.'],
  'erase.failed': ['Deleted workspaces could not be erased', 'It is gone on with in the next run.'],
  'hint.failed': ['A hint could not be sent', LATE_HINTS],
  'pacer.hint-failed': ['A pacer could not send a hint', LATE_HINTS],
  'pacer.unarmed': ['A pacer could not set its alarm', LATE_HINTS],
  'pacer.forgot': ['A pacer could not keep its state', LATE_HINTS],
  'announce.failed': ['An operational event could not be published', 'Deliveries are not concerned.'],
  'audit.failed': [
    'A row of the audit log could not be written',
    'What was done is done; its caller was told to look before trying again.',
  ],
  'request.failed': ['A request failed', 'Its caller has the same request id, and was told to try again.'],
}

/** Lines that are written when something failed; null for a name that is not among them. */
export function failedSentence(fields: LineFields): Sentence | null {
  const words = WARNINGS[fields.event]
  if (words === undefined) return null
  const [said, next] = words
  const requestId = text(fields, 'requestId')
  const name = requestId === '' ? '' : ` (${requestId})`
  const error = text(fields, 'error')
  return warning(fields.event, `${said}${name}${error === '' ? '.' : `: ${error}`}`, next)
}

function warning(about: string, said: string, next: string): Sentence {
  return { kind: 'warning', about, text: `${said}\n${next}` }
}
