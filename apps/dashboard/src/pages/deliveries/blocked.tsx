import { useQuery } from '../../api/client.ts'
import { useLive } from '../../api/use-live.ts'
import { DeliveryTable } from '../../components/list/delivery-table.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'

const SHOWN_MAX = 10

/** Deliveries that have used up their retries and hold others back until a person decides. */
export function Blocked() {
  const params = { query: { blocked: true as const, limit: SHOWN_MAX } }
  const { data, error } = useQuery('get', '/api/v1/deliveries', { params }, useLive())
  if (data === undefined) return error === null ? null : <Problem error={error} />
  if (data.data.length === 0) return null
  return (
    <Section title="These hold others back until you decide" isFlush>
      <DeliveryTable rows={data.data} />
    </Section>
  )
}
