import { Button } from '@cloudflare/kumo/components/button'
import { Input, InputArea } from '@cloudflare/kumo/components/input'
import { Switch } from '@cloudflare/kumo/components/switch'
import { type ChangeEvent, type FormEvent, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { queryClient } from '../../api/client.ts'
import { findEventType, saveEventType } from '../../api/event-type.ts'
import { ApiProblem } from '../../api/problem.ts'
import { useNotices } from '../notices.tsx'
import { Problem } from '../problem.tsx'
import { Section } from '../section.tsx'
import { type Draft, type FieldName, type FieldProblems, problemsByField, readDraft } from './draft.ts'

type FormProps = { initial: Draft; isNew: boolean }

/** All that the catalogue says of a type. It is saved as a whole. */
export function EventTypeForm({ initial, isNew }: FormProps) {
  const [draft, setDraft] = useState(initial)
  const { state, save, forget, form } = useSave(draft, isNew)
  const navigate = useNavigate()
  const change = (part: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...part }))
    forget(Object.keys(part) as FieldName[])
  }
  const bind = (name: Exclude<FieldName, 'deprecated'>) => {
    const error = state.problems[name]
    return {
      name,
      value: draft[name],
      onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
        change({ [name]: event.target.value }),
      ...(error !== undefined && { error, 'aria-invalid': true }),
    }
  }
  return (
    <form ref={form} onSubmit={(event) => void save(event)} className="flex flex-col gap-6" noValidate>
      <Section title="Event type">
        <div className="flex flex-col gap-4">
          {isNew && (
            <Input
              label="Name"
              placeholder="invoice.paid"
              spellCheck={false}
              description="Words joined by dots: those that belong together begin alike."
              {...bind('name')}
            />
          )}
          <Input label="Group" description="Under which the catalogue shows it." {...bind('group')} />
          <InputArea label="Description" rows={2} {...bind('description')} />
          <Switch
            label="Deprecated"
            checked={draft.deprecated}
            onCheckedChange={(deprecated) => change({ deprecated })}
          />
        </div>
      </Section>
      <Section title="Data">
        <div className="flex flex-col gap-4">
          <InputArea
            label="Example"
            rows={8}
            className={CODE}
            spellCheck={false}
            description="The data of one event, as JSON. Test events, previews and completion use it."
            {...bind('example')}
          />
          <InputArea
            label="Schema"
            rows={10}
            className={CODE}
            spellCheck={false}
            description="JSON Schema 2020-12 of the data. Empty: it may be anything."
            {...bind('schema')}
          />
        </div>
      </Section>
      {state.error !== null && <Problem error={state.error} />}
      <div className="flex justify-end gap-2">
        <Button
          type="button"
          onClick={() => void navigate(isNew ? '/event-types' : `/event-types/${initial.name}`)}
        >
          Cancel
        </Button>
        <Button type="submit" variant="primary" loading={state.isBusy}>
          {isNew ? 'Create' : 'Save'}
        </Button>
      </div>
    </form>
  )
}

const CODE = 'font-mono text-sm'

type SaveState = { isBusy: boolean; problems: FieldProblems; error: unknown }
const QUIET: SaveState = { isBusy: false, problems: {}, error: null }

/** Saves a draft and goes to its page. A refusal is shown at its field, where the focus goes. */
function useSave(draft: Draft, isNew: boolean) {
  const form = useRef<HTMLFormElement>(null)
  const notices = useNotices()
  const navigate = useNavigate()
  const [state, setState] = useState(QUIET)
  const refuse = (problems: FieldProblems, error: unknown) => {
    setState({ isBusy: false, problems, error })
    const wrong = Object.keys(problems).map((name) => `[name="${name}"]`)
    if (wrong.length > 0) form.current?.querySelector<HTMLElement>(wrong.join(','))?.focus()
  }
  const save = async (event: FormEvent) => {
    event.preventDefault()
    const { texts, problems } = readDraft(draft)
    if (Object.keys(problems).length > 0) return refuse(problems, null)
    setState({ ...QUIET, isBusy: true })
    const name = draft.name.trim()
    try {
      if (isNew && (await findEventType(name)) !== null)
        return refuse({ name: 'is in the catalogue already: edit it there' }, null)
      const warnings = await saveEventType(name, texts)
      await queryClient.invalidateQueries()
      notices.done('Saved', warnings.map(({ path, message }) => `${path} ${message}`).join('; ') || undefined)
      await navigate(`/event-types/${name}`)
    } catch (error) {
      const { problems: refused, rest } = problemsByField(error instanceof ApiProblem ? error.details : [])
      refuse(refused, rest.length > 0 || Object.keys(refused).length === 0 ? error : null)
    }
  }
  const forget = (names: readonly FieldName[]) =>
    setState(({ problems, ...before }) => ({
      ...before,
      problems: Object.fromEntries(
        Object.entries(problems).filter(([name]) => !names.includes(name as FieldName)),
      ),
    }))
  return { state, save, forget, form }
}
