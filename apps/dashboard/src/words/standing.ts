import type { Schemas } from '../api/schemas.ts'
import type { Tone } from './health.ts'

/** The state of a subscription in one word, as the API counts and filters them. */
export type Standing = keyof Schemas['WorkspaceStatistics']['subscriptions']

/** All states, what needs a person first. */
export const STANDINGS: readonly { value: Standing; label: string; tone: Tone }[] = [
  { value: 'failing', label: 'Failing', tone: 'bad' },
  { value: 'disabled', label: 'Disabled', tone: 'bad' },
  { value: 'paused', label: 'Paused', tone: 'warning' },
  { value: 'slow', label: 'Slow', tone: 'warning' },
  { value: 'unproven', label: 'New', tone: 'off' },
  { value: 'healthy', label: 'Healthy', tone: 'good' },
]
