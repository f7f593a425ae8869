import { Link, useParams, useSearchParams } from 'react-router'
import { useQuery } from '../../api/client.ts'
import { Explain } from '../../components/explain.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { Time } from '../../components/time.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { actionInWords, actorInWords, outcomeInWords } from '../../words/audit.ts'
import { logOf } from '../audit-log/log.ts'
import { Entry } from './entry.tsx'
import { FieldChanges } from './field-changes.tsx'

/** One row of the audit log: who did what, and each field before and after. */
export function Page() {
  const { no = '' } = useParams()
  const [search] = useSearchParams()
  const log = logOf(search.get('log'))
  const suffix = log === 'relay' ? '?log=relay' : ''
  const back = { to: `/audit-log${suffix}`, label: 'Audit log' }
  const { data, error, isPending, refetch } = useQuery('get', '/api/v1/audit-log/{id}', {
    params: { path: { id: no }, query: { log } },
  })
  if (isPending) return <Waiting label="Loading the row" />
  if (data === undefined)
    return (
      <Frame title={`Row ${no}`} back={back}>
        <Problem error={error} onRetry={() => void refetch()} />
      </Frame>
    )
  const { action, at, actor, object, fields, earlier } = data.data
  return (
    <Frame
      title={actionInWords(action)}
      back={back}
      lead={
        <>
          {actorInWords(actor)}, <Time at={at} />
        </>
      }
    >
      <Explain words={outcomeInWords(data.data)} />
      <Section title="Fields" isFlush>
        <FieldChanges fields={fields} earlier={earlier} suffix={suffix} />
      </Section>
      <Entry entry={data.data} />
      <p>
        <Link
          to={`/audit-log?${new URLSearchParams({ ...(log === 'relay' && { log }), object })}`}
          className="text-kumo-link underline"
        >
          All rows about the same
        </Link>
      </p>
    </Frame>
  )
}
