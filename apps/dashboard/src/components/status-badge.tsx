import { Badge } from '@cloudflare/kumo/components/badge'
import type { InWords, Tone } from '../words/health.ts'

const VARIANTS = {
  good: 'success',
  waiting: 'info',
  warning: 'warning',
  bad: 'error',
  off: 'secondary',
} as const satisfies Record<Tone, string>

/** A state in a word or two; its sentence on hovering. */
export function StatusBadge({ words }: { words: InWords }) {
  return (
    <Badge variant={VARIANTS[words.tone]} className="whitespace-nowrap">
      <span title={words.sentence}>{words.label}</span>
    </Badge>
  )
}
