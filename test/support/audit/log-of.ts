import { expect } from 'vitest'
import type { Client } from '../process/http-client.ts'

/** A row as the API shows it. */
export type Entry = {
  no: number
  at: string
  actor: string
  address: string | null
  userAgent: string | null
  action: string
  route: string
  object: string
  fields: Record<string, unknown>
  requestId: string
  outcome: string
  code: string | null
  hash: string
}

/** The rows of a log, oldest first. */
export async function logOf(client: Client, query = ''): Promise<Entry[]> {
  const answer = await client.get<Entry[]>(`/audit-log?limit=1000${query}`)
  expect(answer.status, answer.text).toBe(200)
  return answer.data.toReversed()
}
