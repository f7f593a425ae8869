import { healthNumber } from '../row.ts'

/** SQL for how a subscription `s` stands; `standing.ts` says the same of one that was read. */
export const STANDING = `CASE WHEN s.active = 0 THEN 'disabled' WHEN s.paused_at_ms IS NOT NULL THEN 'paused'
  WHEN s.failing_since_ms IS NOT NULL THEN 'failing' WHEN s.health = ${healthNumber('suspect')} THEN 'slow'
  WHEN s.health = ${healthNumber('unproven')} THEN 'unproven' ELSE 'healthy' END`
