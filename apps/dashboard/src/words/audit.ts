import type { Schemas } from '../api/schemas.ts'
import type { InWords } from './health.ts'

type Entry = Schemas['AuditEntry']

const OUTCOMES: Record<Entry['outcome'], InWords> = {
  done: { tone: 'good', label: 'Done', sentence: 'It was done.' },
  repeated: {
    tone: 'off',
    label: 'Repeated',
    sentence: 'The first answer to the same request, given again.',
  },
  refused: { tone: 'warning', label: 'Refused', sentence: 'The relay refused it: nothing was changed.' },
  failed: { tone: 'bad', label: 'Failed', sentence: 'The relay failed at it; it may be done in part.' },
}

/** How a call ended. */
export function outcomeInWords({ outcome, code }: Entry): InWords {
  const words = OUTCOMES[outcome]
  return code === null ? words : { ...words, sentence: `${words.sentence} (${code.replaceAll('_', ' ')})` }
}

/** Who made a call: the operator, a key, a person, a customer, or nobody that is known. */
export function actorInWords(actor: string): string {
  const [kind = '', ...rest] = actor.split(':')
  const name = rest.join(':')
  switch (kind) {
    case 'operator':
      return 'The operator'
    case 'key':
      return `Key ${name}`
    case 'identity':
      return name
    case 'portal':
      return `Portal: ${rest.slice(1).join(':') || name}`
    default:
      return 'No valid credential'
  }
}

/** What was called: `rotateSecret` as “Rotate secret”. */
export function actionInWords(action: string): string {
  const words = action.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
