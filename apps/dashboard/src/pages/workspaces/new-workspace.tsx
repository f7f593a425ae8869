import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { type FormEvent, useState } from 'react'
import { queryClient, useMutation } from '../../api/client.ts'
import { ApiProblem } from '../../api/problem.ts'
import { openWorkspace } from '../../api/workspace.ts'
import { useNotices } from '../../components/notices.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'

/** Makes a workspace; its settings are changed in itself. */
export function NewWorkspace() {
  const notices = useNotices()
  const [id, setId] = useState('')
  const [made, setMade] = useState<string | null>(null)
  const create = useMutation('post', '/api/v1/workspaces', {
    onSuccess: ({ data }) => {
      setId('')
      setMade(data.id)
      notices.done('Made', data.id)
      return queryClient.invalidateQueries()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate({ body: { id: id.trim() } })
  }
  const problem =
    create.error instanceof ApiProblem ? create.error.details.find(({ path }) => path === 'id') : undefined
  return (
    <Section title="Make a workspace">
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <Input
          label="Name"
          placeholder="acme"
          spellCheck={false}
          description="By which calls name it: A-Z a-z 0-9 _ -. It cannot be changed."
          value={id}
          onChange={(event) => {
            setId(event.target.value)
            create.reset()
          }}
          {...(problem !== undefined && { error: problem.message, 'aria-invalid': true })}
        />
        {create.error !== null && problem === undefined && <Problem error={create.error} />}
        <div className="flex flex-wrap gap-2">
          <Button type="submit" variant="primary" loading={create.isPending} disabled={id.trim() === ''}>
            Make the workspace
          </Button>
          {made !== null && (
            <Button type="button" onClick={() => openWorkspace(made)}>
              Open {made}
            </Button>
          )}
        </div>
      </form>
    </Section>
  )
}
