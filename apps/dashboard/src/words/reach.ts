import type { Schemas } from '../api/schemas.ts'
import type { InWords } from './health.ts'
import { lengthInWords } from './time.ts'

type Check = Schemas['ReceiverCheck']
type Step = Check['steps'][number]

/** What each step finds out, in the order in which they are taken. */
const STEPS: Record<Step['step'], string> = {
  request: 'The request can be made',
  name: 'The name of the host is known',
  connection: 'The host takes connections',
  tls: 'The connection is encrypted',
  answer: 'The receiver answers with a success',
  challenge: 'Nothing on the way asks for a person or a proof',
}

const RESULTS: Record<Step['result'], Pick<InWords, 'tone' | 'label'>> = {
  passed: { tone: 'good', label: 'Yes' },
  failed: { tone: 'bad', label: 'No' },
  unknown: { tone: 'warning', label: 'Not known' },
  skipped: { tone: 'off', label: 'Not asked' },
}

/** What a check has come to. */
export function reachInWords({ reachable, message }: Check): InWords {
  if (reachable === null) return { tone: 'waiting', label: 'Not known yet', sentence: message }
  return reachable
    ? { tone: 'good', label: 'Reached', sentence: message }
    : { tone: 'bad', label: 'Not reached', sentence: message }
}

/** One step of a check, and what was seen. */
export function stepInWords({ step, result, message }: Step): InWords {
  return { ...RESULTS[result], sentence: `${STEPS[step]}.${message === null ? '' : ` ${message}`}` }
}

/** What has become of a test event. */
export function testInWords(outcome: Schemas['DeliveryOutcome']): InWords {
  const { status, responseCode, responseTime, errorMessage, explanation } = outcome
  switch (status) {
    case 'success': {
      const time = responseTime === null ? '' : ` in ${lengthInWords(responseTime)}`
      return { tone: 'good', label: 'Delivered', sentence: `The receiver answered ${responseCode}${time}.` }
    }
    case 'pending':
      return {
        tone: 'waiting',
        label: 'Waiting',
        sentence: explanation ?? 'It has not ended in time. Its event shows what comes of it.',
      }
    case 'failed':
    case 'skipped':
      return {
        tone: 'bad',
        label: 'Not delivered',
        sentence: errorMessage ?? explanation ?? 'The receiver did not take it.',
      }
  }
}
