import { Button } from '@cloudflare/kumo/components/button'
import { type FormEvent, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { ApiProblem } from '../../api/problem.ts'
import { Problem } from '../problem.tsx'
import { type Draft, type FieldName, type FieldProblems, problemsByField } from './draft.ts'
import { PaceFields, ReceiverFields, ShapeFields } from './fields.tsx'
import { Preview } from './preview.tsx'
import { readDraft, type Settings } from './read-draft.ts'
import { useCompleters } from './use-completers.ts'
import { usePreview } from './use-preview.ts'

type FormProps = {
  initial: Draft
  /** Settings that the form leaves as they are, and a preview needs. */
  others?: Partial<Settings>
  verb: string
  /** The page that is gone to when nothing is saved. */
  cancelTo: string
  onSave: (settings: Settings, draft: Draft) => Promise<void>
}

/** Everything that is set of a subscription, and at its side what it would make of an event. */
export function SubscriptionForm({ initial, others = {}, verb, cancelTo, onSave }: FormProps) {
  const [draft, setDraft] = useState(initial)
  const [sample, setSample] = useState('')
  const preview = usePreview({ draft, others, sample })
  const completers = useCompleters(draft.events, sample)
  const { state, save, forget, form } = useSave(draft, onSave)
  const navigate = useNavigate()
  const onChange = (name: FieldName, value: string) => {
    setDraft((before) => ({ ...before, [name]: value }))
    forget(name)
  }
  const fields = { draft, problems: { ...preview.problems, ...state.problems }, completers, onChange }
  return (
    <div className="grid items-start gap-6 xl:grid-cols-2">
      <form
        ref={form}
        onSubmit={(event) => void save(event)}
        className="flex min-w-0 flex-col gap-6"
        noValidate
      >
        <ReceiverFields {...fields} />
        <ShapeFields {...fields} />
        <PaceFields {...fields} />
        {state.error !== null && <Problem error={state.error} />}
        <div className="flex justify-end gap-2">
          <Button type="button" onClick={() => void navigate(cancelTo)}>
            Cancel
          </Button>
          <Button type="submit" variant="primary" loading={state.isBusy}>
            {verb}
          </Button>
        </div>
      </form>
      <div className="min-w-0 xl:sticky xl:top-6">
        <Preview state={preview} sample={sample} onSample={setSample} />
      </div>
    </div>
  )
}

type SaveState = { isBusy: boolean; problems: FieldProblems; error: unknown }
const QUIET: SaveState = { isBusy: false, problems: {}, error: null }

/** Saves a draft. A refusal is shown at its field, where the focus goes; one without a field, below all. */
function useSave(draft: Draft, onSave: FormProps['onSave']) {
  const form = useRef<HTMLFormElement>(null)
  const [state, setState] = useState(QUIET)
  const refuse = (problems: FieldProblems, error: unknown) => {
    setState({ isBusy: false, problems, error })
    const wrong = Object.keys(problems).map((name) => `[name="${name}"]`)
    if (wrong.length > 0) form.current?.querySelector<HTMLElement>(wrong.join(','))?.focus()
  }
  const save = async (event: FormEvent) => {
    event.preventDefault()
    const { settings, problems } = readDraft(draft)
    if (Object.keys(problems).length > 0) return refuse(problems, null)
    setState({ ...QUIET, isBusy: true })
    try {
      await onSave(settings, draft)
      setState(QUIET)
    } catch (error) {
      const { problems: refused, rest } = problemsByField(error instanceof ApiProblem ? error.details : [])
      refuse(refused, rest.length > 0 || Object.keys(refused).length === 0 ? error : null)
    }
  }
  const forget = (name: FieldName) =>
    setState(({ problems: { [name]: _, ...problems }, ...before }) => ({ ...before, problems }))
  return { state, save, forget, form }
}
