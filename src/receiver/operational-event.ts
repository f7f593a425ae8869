import { maskUrl } from '../base/secret/mask-url.ts'
import { iso } from '../base/time.ts'
import { OPERATIONAL_PREFIX } from '../model/event-type.ts'
import type { DisabledReason } from './health.ts'

/** Types of the relay's own events; a subscription gets them by name, never by `*`. */
export const OPERATIONAL_TYPES = {
  failing: 'posthorn.subscription.failing',
  disabled: 'posthorn.subscription.disabled',
  recovered: 'posthorn.subscription.recovered',
  exhausted: 'posthorn.delivery.exhausted',
} as const

/** True for the relay's own types. */
export function isOperational(type: string): boolean {
  return type.startsWith(OPERATIONAL_PREFIX)
}

/** An event of a subscription's life, for the other subscriptions of its workspace that name the type. */
export type Announcement = {
  workspaceId: string
  /** The subscription that it is about; it is never told of itself. */
  aboutNo: number
  type: (typeof OPERATIONAL_TYPES)[keyof typeof OPERATIONAL_TYPES]
  /** The same for the same happening, so that it is announced once. */
  key: string
  data: Record<string, unknown>
}

type About = {
  no: number
  version: number
  id: string
  workspaceId: string
  settings: { url: string; description: string | null }
}

/** A share of the failure budget is spent. Times are unix milliseconds. */
export function failingAnnouncement(
  about: About,
  spent: { percent: number; failingSinceMs: number; failedAttempts: number; disableAtMs: number },
): Announcement {
  const { percent, failingSinceMs, failedAttempts, disableAtMs } = spent
  const details = { percent, failingSince: iso(failingSinceMs), failedAttempts, disabledAt: iso(disableAtMs) }
  return announcement(about, 'failing', `${failingSinceMs}/${percent}`, details)
}

/** A subscription was disabled, by its receiver's 410 or its spent budget. */
export function disabledAnnouncement(
  about: About,
  reason: Exclude<DisabledReason, 'manual'>,
  nowMs: number,
): Announcement {
  // Disabling raises the version, so two consumers that disable the same version give the same key.
  return announcement(about, 'disabled', `${reason}/${about.version}`, { reason, disabledAt: iso(nowMs) })
}

/** A receiver whose failing was announced, or that had been disabled for it, answers again. */
export function recoveredAnnouncement(
  about: About,
  failingSinceMs: number | null,
  nowMs: number,
): Announcement {
  const details = {
    failingSince: failingSinceMs === null ? null : iso(failingSinceMs),
    recoveredAt: iso(nowMs),
  }
  return announcement(about, 'recovered', String(failingSinceMs ?? nowMs), details)
}

/** A delivery has failed for good. */
export function exhaustedAnnouncement(
  about: About,
  delivery: {
    id: string
    eventId: string
    event: string
    attempts: number
    error: string | null
    status: number | null
  },
): Announcement {
  const { id, eventId, event, attempts, error, status } = delivery
  const details = { deliveryId: id, eventId, event, attempts, error, responseCode: status }
  return announcement(about, 'exhausted', `${id}/${attempts}`, details)
}

function announcement(
  { no, id, workspaceId, settings }: About,
  kind: keyof typeof OPERATIONAL_TYPES,
  key: string,
  details: Record<string, unknown>,
): Announcement {
  const object = { webhookId: id, url: maskUrl(settings.url), description: settings.description, ...details }
  return {
    workspaceId,
    aboutNo: no,
    type: OPERATIONAL_TYPES[kind],
    key: `${kind}/${no}/${key}`,
    data: { object },
  }
}
