import type { InWords } from '../../words/health.ts'
import { countOf } from '../../words/numbers.ts'
import type { Verdict } from './use-verification.ts'

/** What a verification has come to. */
export function verdictInWords({ intact, break: found, checked, isWhole, oldest }: Verdict): InWords {
  if (!intact && found !== null) return brokenInWords(found, checked)
  if (!isWhole)
    return {
      tone: 'waiting',
      label: 'Stopped',
      sentence: `${countOf(checked, 'row')} verified; not all of it.`,
    }
  if (oldest === null) return { tone: 'off', label: 'Empty', sentence: 'There is no row to be verified.' }
  return {
    tone: 'good',
    label: 'Intact',
    sentence: `${countOf(checked, 'row')} verified, from the newest down to row ${oldest}: none was changed, taken out or put in.`,
  }
}

function brokenInWords({ kind, no }: NonNullable<Verdict['break']>, checked: number): InWords {
  const above = `${countOf(checked, 'row')} above it ${checked === 1 ? 'is' : 'are'} as written; nothing can be said of those below.`
  const broken = (sentence: string): InWords => ({ tone: 'bad', label: 'Broken', sentence })
  switch (kind) {
    case 'changed':
      return broken(`Row ${no} is not what was written. ${above}`)
    case 'missing':
      return broken(`Row ${no} is gone. ${above}`)
    case 'inserted':
      return broken(`A row was put in at number ${no}, which no call has written. ${above}`)
    case 'rewritten':
      return broken(
        `The noted head, row ${no}, is not in the log any more: it was written anew, or its end was cut off.`,
      )
  }
}
