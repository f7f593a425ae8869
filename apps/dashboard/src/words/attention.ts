import type { Schemas } from '../api/schemas.ts'
import type { InWords } from './health.ts'

export type Attention = Schemas['WorkspaceStatistics']['attention'][number]

const LABELS = {
  disabled: { tone: 'bad', label: 'Disabled' },
  unverified: { tone: 'warning', label: 'Unverified' },
  blocked: { tone: 'bad', label: 'Blocked' },
  failing: { tone: 'bad', label: 'Failing' },
  near_limit: { tone: 'warning', label: 'Near a limit' },
} as const satisfies Record<Attention['kind'], Pick<InWords, 'tone' | 'label'>>

/** What a person has to see to, and what to do next. */
export function attentionInWords({ kind, summary, nextStep }: Attention): InWords {
  return { ...LABELS[kind], sentence: summary, advice: nextStep }
}
