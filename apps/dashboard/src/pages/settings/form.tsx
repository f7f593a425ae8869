import { Button } from '@cloudflare/kumo/components/button'
import { type FormEvent, useRef, useState } from 'react'
import { api, queryClient } from '../../api/client.ts'
import { ApiProblem } from '../../api/problem.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { useNotices } from '../../components/notices.tsx'
import { Problem } from '../../components/problem.tsx'
import {
  changesOf,
  type Draft,
  draftOf,
  type FieldName,
  type FieldProblems,
  problemsByField,
} from './draft.ts'
import { DestinationFields, EventFields, KeepingFields } from './fields.tsx'
import { LimitFields } from './limit-fields.tsx'

/** All settings of a workspace. What was changed is sent, and nothing else. */
export function SettingsForm({ workspace }: { workspace: Schemas['Workspace'] }) {
  const mayChange = useMay('workspace:admin')
  const before = draftOf(workspace)
  const [draft, setDraft] = useState(before)
  const { state, save, forget, form } = useSave(workspace.id, { before, draft })
  const isChanged = Object.keys(changesOf(before, draft)).length > 0
  const fields = {
    draft,
    problems: state.problems,
    onChange: (part: Partial<Draft>) => {
      setDraft((old) => ({ ...old, ...part }))
      forget(Object.keys(part) as FieldName[])
    },
  }
  return (
    <form ref={form} onSubmit={(event) => void save(event)} noValidate>
      {!mayChange && (
        <p className="mb-6 text-kumo-subtle">They can be looked at here, and changed by others.</p>
      )}
      <fieldset disabled={!mayChange} className="flex min-w-0 flex-col gap-6">
        <legend className="sr-only">Settings</legend>
        <EventFields {...fields} />
        <KeepingFields {...fields} />
        <DestinationFields {...fields} />
        <LimitFields {...fields} />
        {state.error !== null && <Problem error={state.error} />}
        {mayChange && (
          <div className="flex flex-wrap items-center justify-end gap-3">
            {isChanged && <Button onClick={() => setDraft(before)}>Undo changes</Button>}
            <Button type="submit" variant="primary" loading={state.isBusy} disabled={!isChanged}>
              Save
            </Button>
          </div>
        )}
      </fieldset>
    </form>
  )
}

type SaveState = { isBusy: boolean; problems: FieldProblems; error: unknown }
const QUIET: SaveState = { isBusy: false, problems: {}, error: null }

/** Saves what was changed. A refusal is shown at its field, where the focus goes. */
function useSave(id: string, { before, draft }: { before: Draft; draft: Draft }) {
  const form = useRef<HTMLFormElement>(null)
  const notices = useNotices()
  const [state, setState] = useState(QUIET)
  const save = async (event: FormEvent) => {
    event.preventDefault()
    setState({ ...QUIET, isBusy: true })
    try {
      await api.PUT('/api/v1/workspaces/{id}', { params: { path: { id } }, body: changesOf(before, draft) })
      await queryClient.invalidateQueries()
      setState(QUIET)
      notices.done('Saved', 'It counts from the next event on.')
    } catch (error) {
      const { problems, rest } = problemsByField(error instanceof ApiProblem ? error.details : [], draft)
      const names = Object.keys(problems).map((name) => `[name="${name}"]`)
      setState({ isBusy: false, problems, error: rest.length > 0 || names.length === 0 ? error : null })
      if (names.length > 0) form.current?.querySelector<HTMLElement>(names.join(','))?.focus()
    }
  }
  const forget = (names: readonly FieldName[]) =>
    setState(({ problems, ...rest }) => ({
      ...rest,
      problems: Object.fromEntries(
        Object.entries(problems).filter(([name]) => !names.includes(name as FieldName)),
      ),
    }))
  return { state, save, forget, form }
}
