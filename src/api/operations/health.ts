import type { Relay } from '../../relay.ts'
import { notMigrated, unready } from '../unready.ts'

/** `GET /healthz`: ok, and how long ago the last sweep ran; a refusal that names what is missing. */
export async function healthAnswer({
  readiness,
  now,
}: Pick<Relay, 'readiness' | 'now'>): Promise<{ status: 'ok'; sweepAgeSeconds: number | null }> {
  const health = await readiness.check(now())
  switch (health.kind) {
    case 'not_migrated':
      throw notMigrated()
    case 'sweep_overdue':
      throw unready(
        'sweep',
        `The last sweep was ${seconds(health.sweepAgeMs)} s ago, and one is due every minute. Until it runs, scheduled events, retries more than 90 s ahead and lost hints wait. Check the cron triggers.`,
      )
    case 'ok':
      return { status: 'ok', sweepAgeSeconds: health.sweepAgeMs === null ? null : seconds(health.sweepAgeMs) }
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
