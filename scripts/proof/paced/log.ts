import { setTimeout as sleep } from 'node:timers/promises'

/** A delivery by the relay's own account. */
export type LogRow = { eventId: string; status: string; batchId: string | null; retryCount: number }

type Page = { data: LogRow[]; pagination: { nextCursor: string | null } }

/** A subscription's log in accepted order, as soon as every delivery has succeeded; as it is after `waitMs` at the latest. */
export async function settledLog(
  relay: { url: string; adminKey: string },
  webhookId: string,
  waitMs: number,
): Promise<LogRow[]> {
  const deadline = Date.now() + waitMs
  for (;;) {
    const rows = await readLog(relay, webhookId)
    if (rows.every(({ status }) => status === 'success') || Date.now() > deadline) return rows
    await sleep(500)
  }
}

async function readLog(relay: { url: string; adminKey: string }, webhookId: string): Promise<LogRow[]> {
  const rows: LogRow[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query = new URLSearchParams({ limit: '100', ...(cursor !== '' && { cursor }) })
    const response = await fetch(`${relay.url}/api/v1/webhooks/${webhookId}/logs?${query}`, {
      headers: { Authorization: `Bearer ${relay.adminKey}` },
      signal: AbortSignal.timeout(30_000),
    })
    if (!response.ok) throw new Error(`the log was answered ${response.status}: ${await response.text()}`)
    const page = (await response.json()) as Page
    rows.push(...page.data)
    cursor = page.pagination.nextCursor
  }
  return rows.reverse()
}
