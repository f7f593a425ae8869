import { useEffect } from 'react'
import { Section } from '../../components/section.tsx'
import { CodeBlock } from './code-block.tsx'
import type { ApiDocument } from './document.ts'
import { Prose } from './prose.tsx'

/** The beginning of the reference: all that the calls have in common. */
export function Start({ document }: { document: ApiDocument }) {
  const { origin } = window.location
  useEffect(() => {
    window.document.title = 'Posthorn API'
  }, [])
  return (
    <>
      <header className="mb-6">
        <h1 className="text-2xl font-semibold tracking-tight">API reference</h1>
        <p className="mt-1 max-w-prose text-kumo-subtle">{document.description}</p>
      </header>
      <div className="flex flex-col gap-6">
        <Section title="Every call">
          <ul className="flex list-disc flex-col gap-1.5 pl-5">
            <li>
              <Prose
                text={`Paths begin at \`${origin}\`; \`/v1\` is the same as \`/api/v1\`. JSON in and out.`}
              />
            </li>
            <li>
              <Prose text="`Authorization: Bearer …` has the key. Each call names the scope that it needs." />
            </li>
            <li>
              <Prose text="`X-Company-Id` names the workspace for keys that may act in several." />
            </li>
            <li>
              <Prose text="A success is `{success: true, data}`, a refusal `{success: false, error}` with a code, a message and the fields that are wrong." />
            </li>
            <li>
              <Prose text="A list ends where `pagination.nextCursor` is null; else it goes into `cursor` of the next call." />
            </li>
          </ul>
        </Section>
        <Section title="Try it" isFlush>
          <CodeBlock
            label="Request"
            text={`export POSTHORN_KEY=…\ncurl -s ${origin}/api/v1/session -H "Authorization: Bearer $POSTHORN_KEY"`}
          />
        </Section>
        <Section title="The document">
          <p>
            <a href="/openapi.json" className="underline">
              openapi.json
            </a>{' '}
            is what this page is made of: OpenAPI 3.1, for generators of clients. Version {document.version}.
          </p>
        </Section>
      </div>
    </>
  )
}
