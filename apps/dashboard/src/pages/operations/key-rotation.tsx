import { useQuery } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { Explain } from '../../components/explain.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import type { InWords } from '../../words/health.ts'
import { countOf } from '../../words/numbers.ts'
import { fullTime } from '../../words/time.ts'

type Rotation = Schemas['KeyRotation']

/** How far the last change of the key is under which secrets are sealed. */
export function KeyRotation() {
  const { data, error, refetch } = useQuery('get', '/api/v1/key-rotation')
  return (
    <Section title="Key-encryption key">
      {error !== null && <Problem error={error} onRetry={() => void refetch()} />}
      {data !== undefined && <Explain words={rotationInWords(data.data)} />}
    </Section>
  )
}

function rotationInWords(rotation: Rotation | null): InWords {
  if (rotation === null)
    return {
      tone: 'off',
      label: 'Never changed',
      sentence: 'All secrets are sealed under the key that the relay began with.',
    }
  const { state, keyId, percent, resealed, unreadableCount, previousKeyMayGo, finishedAt } = rotation
  if (unreadableCount > 0)
    return {
      tone: 'bad',
      label: 'Unreadable',
      sentence: `${countOf(unreadableCount, 'secret')} can be opened by no key that the relay has.`,
      advice: 'npm run rotate-kek names them.',
    }
  if (state === 'running')
    return {
      tone: 'waiting',
      label: 'In progress',
      sentence: `${percent} % of this walk, ${countOf(resealed, 'secret')} sealed anew under ${keyId}.`,
      advice: 'npm run rotate-kek goes on with it.',
    }
  return {
    tone: 'good',
    label: 'Completed',
    sentence: `All is sealed under ${keyId}${finishedAt === null ? '' : `, since ${fullTime(finishedAt)}`}.${previousKeyMayGo ? ' The key before may go.' : ''}`,
  }
}
