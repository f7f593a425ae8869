import type { Schemas } from '../../api/schemas.ts'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { Section } from '../../components/section.tsx'
import { Time } from '../../components/time.tsx'
import { bytesInWords } from '../../words/bytes.ts'
import { numberInWords } from '../../words/numbers.ts'

type Queue = Schemas['RelayStatus']['queues'][number]

const COLUMNS: [Column<Queue>, ...Column<Queue>[]] = [
  { header: 'Queue', cell: ({ name }) => <span className="wrap-anywhere">{name}</span> },
  { header: 'Waiting', isNumber: true, cell: ({ messages }) => orUnknown(messages, numberInWords) },
  { header: 'Size', from: 'sm', isNumber: true, cell: ({ bytes }) => orUnknown(bytes, bytesInWords) },
  {
    header: 'The oldest',
    cell: ({ oldestAt, messages }) =>
      oldestAt === null ? (
        <span className="text-kumo-subtle">{messages === 0 ? 'none' : 'not known'}</span>
      ) : (
        <Time at={oldestAt} />
      ),
  },
]

/** The queues that hints wait in. */
export function Queues({ queues }: { queues: readonly Queue[] }) {
  return (
    <Section title="Queues" isFlush>
      <DataTable caption="Queues" rows={queues} columns={COLUMNS} keyOf={({ name }) => name} />
    </Section>
  )
}

function orUnknown(value: number | null, words: (value: number) => string) {
  return value === null ? <span className="text-kumo-subtle">not known</span> : words(value)
}
