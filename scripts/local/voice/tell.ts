import { attemptedSentence, publishedSentence, settledSentence, withheldSentence } from './deliveries.ts'
import { consumedSentence, erasedSentence, failedSentence, purgedSentence, sweptSentence } from './duties.ts'
import type { LineFields, Sentence } from './sentence.ts'

/** A line that the runtime has written: the Worker's JSON, or words of its own. */
export type RuntimeLine = { level: string; message: string; timestamp: number }

/** Puts a line into words; null for one that says that all is well. */
export function tell({ level, message }: RuntimeLine): Sentence | null {
  const fields = fieldsOf(message)
  if (fields !== null) return tellFields(fields)
  const isFault = level === 'error' || level === 'warn'
  return isFault
    ? { kind: 'warning', about: message, text: message }
    : { kind: 'info', title: level, text: message }
}

function tellFields(fields: LineFields): Sentence | null {
  switch (fields.event) {
    case 'event.received':
      return publishedSentence(fields)
    case 'delivery.attempted':
      return attemptedSentence(fields)
    case 'delivery.settled':
      return settledSentence(fields)
    case 'lines.withheld':
      return withheldSentence(fields)
    case 'queue.consumed':
    case 'queue.left':
      return consumedSentence(fields)
    case 'sweep.completed':
      return sweptSentence(fields)
    case 'erase.completed':
      return erasedSentence(fields)
    case 'purge.completed':
      return purgedSentence(fields)
    default:
      return failedSentence(fields) ?? otherSentence(fields)
  }
}

/** A line without words here is shown as it is. */
function otherSentence({ event, ...fields }: LineFields): Sentence {
  return { kind: 'info', title: event, text: JSON.stringify(fields) }
}

function fieldsOf(message: string): LineFields | null {
  if (!message.startsWith('{')) return null
  try {
    const value = JSON.parse(message) as Partial<LineFields>
    return typeof value.event === 'string' ? (value as LineFields) : null
  } catch {
    return null
  }
}
