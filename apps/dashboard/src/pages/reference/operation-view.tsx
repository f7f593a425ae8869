import { useEffect } from 'react'
import { JsonView } from '../../components/json/json-view.tsx'
import { Section } from '../../components/section.tsx'
import { CodeBlock } from './code-block.tsx'
import { curlOf } from './curl.ts'
import type { Answer, ApiDocument, Call, Parameter } from './document.ts'
import { Prose } from './prose.tsx'
import { Member, SchemaView } from './schema-view.tsx'

type Props = { document: ApiDocument; call: Call }

/** One call: what it takes, what it answers, and an example of both. */
export function OperationView({ document, call }: Props) {
  const { method, path, operation } = call
  const { summary, description } = operation
  useEffect(() => {
    window.document.title = `${summary} · Posthorn API`
  }, [summary])
  return (
    <>
      <header className="mb-6 flex flex-col gap-2">
        <h1 className="text-2xl font-semibold tracking-tight">
          <Prose text={summary} />
        </h1>
        <p className="flex flex-wrap items-baseline gap-x-2 font-mono wrap-anywhere">
          <span className="font-semibold">{method}</span>
          {path ?? 'to the URL of the subscription'}
        </p>
        <Needs call={call} />
        {description !== undefined && (
          <p className="max-w-prose">
            <Prose text={description} />
          </p>
        )}
      </header>
      <div className="flex flex-col gap-6">
        <Parameters document={document} call={call} />
        <Body document={document} call={call} />
        {path !== null && (
          <Section title="Example" isFlush>
            <CodeBlock text={curlOf(document, call, window.location.origin)} label="Request" />
          </Section>
        )}
        <Answers document={document} call={call} />
      </div>
    </>
  )
}

function Needs({ call: { path, operation } }: { call: Call }) {
  if (path === null) return null
  const [needed] = operation.security
  const scopes = needed === undefined ? null : Object.values(needed).flat()
  return (
    <p className="text-sm text-kumo-subtle">
      {scopes === null && 'Needs no key.'}
      {scopes?.length === 0 && 'Needs a key; any will do.'}
      {scopes !== null && scopes.length > 0 && (
        <Prose text={`Needs a key with the scope \`${scopes.join('`, `')}\`.`} />
      )}{' '}
      <Prose text={`In generated clients: \`${operation.operationId}\`.`} />
    </p>
  )
}

const PLACES = { path: 'in the path', query: 'in the query', header: 'header' } as const

function Parameters({ document, call: { operation } }: Props) {
  const parameters = (operation.parameters ?? []).map((each) => document.resolve<Parameter>(each))
  if (parameters.length === 0) return null
  return (
    <Section title="Parameters">
      <ul className="flex flex-col divide-y divide-kumo-hairline">
        {parameters.map(({ name, in: place, required = false, description, schema }) => (
          <li key={`${place} ${name}`} className="py-2 first:pt-0 last:pb-0">
            <Member
              document={document}
              name={name}
              schema={schema}
              isRequired={required}
              description={description}
            />
            <p className="text-xs text-kumo-subtle">{PLACES[place]}</p>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Body({ document, call: { operation, path } }: Props) {
  const { requestBody } = operation
  if (requestBody === undefined) return null
  const title = path === null || requestBody.required === true ? 'Body' : 'Body, which may be left out'
  return (
    <Section title={title}>
      {Object.entries(requestBody.content).map(([type, { schema = {} }]) => (
        <div key={type} className="flex flex-col gap-1">
          <p className="text-xs text-kumo-subtle">{type}</p>
          <SchemaView document={document} schema={schema} />
        </div>
      ))}
    </Section>
  )
}

function Answers({ document, call: { operation } }: Props) {
  const answers = Object.entries(operation.responses).map(
    ([status, answer]) => [status, document.resolve<Answer>(answer)] as const,
  )
  const good = answers.filter(([status, { content }]) => status.startsWith('2') && content !== undefined)
  const others = answers.filter((answer) => !good.includes(answer))
  return (
    <>
      {good.map(([status, { description, content = {} }]) => (
        <Section key={status} title={`${status}: ${description}`} isFlush>
          {Object.entries(content).map(([type, { schema = {}, example }]) => (
            <div key={type}>
              <div className="p-4">
                <p className="text-xs text-kumo-subtle">{type}</p>
                <SchemaView document={document} schema={schema} />
              </div>
              {example !== undefined && <JsonView text={JSON.stringify(example)} label="Answer" />}
            </div>
          ))}
        </Section>
      ))}
      <Section title={good.length > 0 ? 'Refusals' : 'Answers'}>
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2 text-sm">
          {others.map(([status, { description }]) => (
            <div key={status} className="contents">
              <dt className="font-mono font-semibold">{status}</dt>
              <dd>
                <Prose text={description} />
              </dd>
            </div>
          ))}
        </dl>
      </Section>
    </>
  )
}
