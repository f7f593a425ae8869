import { useState } from 'react'
import type { ApiDocument, Schema } from './document.ts'
import { Prose } from './prose.tsx'
import { boundsInWords, partsOf, typeInWords } from './type-words.ts'

type SchemaViewProps = { document: ApiDocument; schema: Schema }

/** The members of a schema; those of its members are shown when they are asked for. */
export function SchemaView({ document, schema }: SchemaViewProps) {
  const parts = partsOf(document, schema)
  if (parts.length === 0) return <p className="text-sm text-kumo-subtle">{typeInWords(schema)}</p>
  return parts.map((part, n) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a schema stay where they are.
    <div key={n} className="flex flex-col gap-1">
      {part.name !== null && <p className="text-sm font-medium">{part.name}</p>}
      <Members document={document} schema={part.schema} />
    </div>
  ))
}

function Members({ document, schema }: SchemaViewProps) {
  return (
    <ul className="flex flex-col divide-y divide-kumo-hairline">
      {Object.entries(schema.properties ?? {}).map(([name, member]) => (
        <li key={name} className="py-2">
          <Member
            document={document}
            name={name}
            schema={member}
            isRequired={schema.required?.includes(name) === true}
          />
        </li>
      ))}
    </ul>
  )
}

type MemberProps = SchemaViewProps & { name: string; isRequired: boolean; description?: string | undefined }

/** A field or a parameter: its name, type, bounds and meaning. */
export function Member({ document, name, schema, isRequired, description }: MemberProps) {
  const own = document.resolve<Schema>(schema)
  const words = description ?? schema.description ?? own.description
  const bounds = boundsInWords(own)
  return (
    <>
      <p className="flex flex-wrap items-baseline gap-x-2 text-sm">
        <code className="font-semibold wrap-anywhere">{name}</code>
        <span className="text-kumo-subtle wrap-anywhere">{typeInWords(schema)}</span>
        {isRequired && <span className="text-xs font-medium">required</span>}
      </p>
      {words !== undefined && (
        <p className="text-sm">
          <Prose text={words} />
        </p>
      )}
      {bounds !== '' && (
        <p className="text-sm text-kumo-subtle">
          <Prose text={bounds} />
        </p>
      )}
      {partsOf(document, schema).length > 0 && <Nested document={document} name={name} schema={schema} />}
    </>
  )
}

/** A schema may hold itself: what is below is made when it is opened. */
function Nested({ document, name, schema }: SchemaViewProps & { name: string }) {
  const [isOpen, setIsOpen] = useState(false)
  return (
    <details onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)} className="mt-1">
      <summary className="cursor-pointer text-sm text-kumo-subtle hover:text-kumo-default">
        Fields of {name}
      </summary>
      {isOpen && (
        <div className="mt-1 border-l-2 border-kumo-hairline pl-3">
          <SchemaView document={document} schema={schema} />
        </div>
      )}
    </details>
  )
}
