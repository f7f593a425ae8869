import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { type FormEvent, useState } from 'react'
import { Explain } from '../../components/explain.tsx'
import { CopyButton } from '../../components/json/json-view.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { countOf } from '../../words/numbers.ts'
import type { Log } from './log.ts'
import { useVerification } from './use-verification.ts'
import { verdictInWords } from './verdict-in-words.ts'

/** Verifies the whole chain, step by step, and says what was found. */
export function Verification({ log }: { log: Log }) {
  const [noted, setNoted] = useState('')
  const { verdict, isRunning, error, start, stop } = useVerification(log)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void start(noted.trim())
  }
  return (
    <Section title="Verify the log">
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <p className="max-w-prose text-kumo-subtle">
          Each row holds the hash of the one before it. Verifying computes all of them again: a row that was
          changed, taken out or put in is found. Who writes the whole log anew is found by a head that was
          noted elsewhere before.
        </p>
        <Input
          label="Noted head"
          placeholder="41.9f86d081…"
          spellCheck={false}
          description="As it was shown here earlier. It may be left empty."
          value={noted}
          onChange={(event) => setNoted(event.target.value)}
        />
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" variant="primary" loading={isRunning}>
            Verify
          </Button>
          {isRunning && (
            <Button type="button" onClick={stop}>
              Stop
            </Button>
          )}
        </div>
        <div aria-live="polite" className="flex flex-col gap-3">
          {error !== null && <Problem error={error} />}
          {verdict !== null && isRunning && <p>{countOf(verdict.checked, 'row')} verified so far …</p>}
          {verdict !== null && !isRunning && <Explain words={verdictInWords(verdict)} />}
          {verdict !== null && !isRunning && verdict.intact && verdict.head.no > 0 && (
            <Head head={`${verdict.head.no}.${verdict.head.hash}`} />
          )}
        </div>
      </form>
    </Section>
  )
}

function Head({ head }: { head: string }) {
  return (
    <div className="flex flex-wrap items-center gap-2">
      <span className="text-kumo-subtle">Its head, to be noted elsewhere:</span>
      <code className="min-w-0 text-sm wrap-anywhere">{head}</code>
      <CopyButton text={head} label="Copy the head" />
    </div>
  )
}
