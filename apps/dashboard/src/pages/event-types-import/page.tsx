import { Button } from '@cloudflare/kumo/components/button'
import { InputArea } from '@cloudflare/kumo/components/input'
import { type FormEvent, useId, useState } from 'react'
import { useNavigate } from 'react-router'
import { queryClient } from '../../api/client.ts'
import { useNotices } from '../../components/notices.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { countOf } from '../../words/numbers.ts'
import { ImportPlan } from './import-plan.tsx'
import { importTypes, type Plan } from './import-types.ts'
import { readDocument } from './read-document.ts'

type State = { isBusy: boolean; plan: Plan | null; error: unknown }
const QUIET: State = { isBusy: false, plan: null, error: null }

/** Takes event types from an OpenAPI document: first it is shown what would change, then it is done. */
export function Page() {
  const notices = useNotices()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [state, setState] = useState(QUIET)
  const run = async (work: () => Promise<Plan | null>) => {
    setState((before) => ({ ...before, isBusy: true, error: null }))
    try {
      const plan = await work()
      setState({ isBusy: false, plan, error: null })
    } catch (error) {
      setState((before) => ({ ...before, isBusy: false, error }))
    }
  }
  const preview = (event: FormEvent) => {
    event.preventDefault()
    void run(async () => await importTypes(await readDocument(text), { dryRun: true }))
  }
  const apply = () =>
    run(async () => {
      const { created, updated } = await importTypes(await readDocument(text), { dryRun: false })
      await queryClient.invalidateQueries()
      notices.done('Imported', `${countOf(created.length, 'new type')}, ${updated.length} changed.`)
      await navigate('/event-types')
      return null
    })
  const change = (next: string) => {
    setText(next)
    setState(QUIET)
  }
  return (
    <Frame
      title="Import event types"
      lead="From the webhooks of an OpenAPI 3.1 document, or a list of event types."
      back={{ to: '/event-types', label: 'Event types' }}
    >
      <form onSubmit={preview} className="flex flex-col gap-4" noValidate>
        <Section title="Document" actions={<FileChoice onRead={change} />}>
          <InputArea
            label="Document as JSON or YAML"
            rows={12}
            className="font-mono text-sm"
            spellCheck={false}
            placeholder={'openapi: 3.1.0\nwebhooks:\n  invoice.paid: …'}
            value={text}
            onChange={(event) => change(event.target.value)}
          />
        </Section>
        {state.error !== null && <Problem error={state.error} />}
        <div className="flex justify-end">
          <Button
            type="submit"
            variant={state.plan === null ? 'primary' : 'secondary'}
            loading={state.isBusy && state.plan === null}
            disabled={text.trim() === ''}
          >
            Show what would change
          </Button>
        </div>
      </form>
      {state.plan !== null && (
        <ImportPlan plan={state.plan} isBusy={state.isBusy} onApply={() => void apply()} />
      )}
    </Frame>
  )
}

/** A file of this computer, whose text is put into the field. */
function FileChoice({ onRead }: { onRead: (text: string) => void }) {
  const id = useId()
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="sr-only">
        Take a file
      </label>
      <input
        id={id}
        type="file"
        accept=".json,.yaml,.yml"
        className="max-w-full cursor-pointer text-sm file:mr-3 file:cursor-pointer file:rounded-lg file:bg-kumo-base file:px-3 file:py-1.5 file:ring file:ring-kumo-line"
        onChange={(event) => {
          const [file] = event.target.files ?? []
          if (file !== undefined) void file.text().then(onRead)
        }}
      />
    </div>
  )
}
