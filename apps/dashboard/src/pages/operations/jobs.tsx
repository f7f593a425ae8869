import type { ReactNode } from 'react'
import type { Schemas } from '../../api/schemas.ts'
import { Explain } from '../../components/explain.tsx'
import { Section } from '../../components/section.tsx'
import { figuresInWords, jobInWords } from './job-in-words.ts'

/** The work that is done by the clock: when each ran last, and what it did. */
export function Jobs({ relay: { sweep, purge } }: { relay: Schemas['RelayStatus'] }) {
  return (
    <Section title="Work by the clock" isFlush>
      <ul className="divide-y divide-kumo-hairline">
        <Job
          name="Sweep"
          does="repairs what was lost, wakes what is due and adds up the statistics"
          job={sweep}
        />
        <Job name="Purge" does="removes events that are older than their workspace keeps them" job={purge} />
      </ul>
    </Section>
  )
}

type JobProps = { name: string; does: string; job: Schemas['Job'] | null }

function Job({ name, does, job }: JobProps) {
  const figures = job === null ? [] : figuresInWords(job.figures)
  return (
    <li className="flex flex-col gap-2 p-4">
      <h3 className="font-medium">
        {name}
        <span className="font-normal text-kumo-subtle">: {does}</span>
      </h3>
      <Explain words={jobInWords(job)} />
      {figures.length > 0 && <p className="text-sm text-kumo-subtle">{joined(figures)}</p>}
    </li>
  )
}

function joined(figures: readonly string[]): ReactNode {
  return `Its last run: ${figures.join(', ')}.`
}
