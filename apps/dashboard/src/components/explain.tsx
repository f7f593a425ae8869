import type { InWords } from '../words/health.ts'
import { StatusBadge } from './status-badge.tsx'

/** A state with the sentence that explains it, and what can be done. */
export function Explain({ words }: { words: InWords }) {
  return (
    <div className="flex flex-col gap-1">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <StatusBadge words={words} />
        <span className="text-kumo-subtle wrap-anywhere">{words.sentence}</span>
      </div>
      {words.advice && <p className="wrap-anywhere">{words.advice}</p>}
    </div>
  )
}
