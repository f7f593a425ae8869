import { findEventType } from '../catalogue/event-types.sql.ts'
import type { Subscription } from './subscription.ts'

/** The type of a sample when the caller names none, and the subscription only patterns. */
export const SAMPLE_TYPE = 'webhook.test'
const SAMPLE_DATA = '{"test":true}'

/** The type of a sample event: the one that is named, else the first exact one of the subscription. */
export function sampleType(named: string | undefined, { settings }: Pick<Subscription, 'settings'>): string {
  return named ?? settings.events.find((pattern) => !pattern.endsWith('*')) ?? SAMPLE_TYPE
}

/** Sample data of a type, as JSON text: the catalogue's example where it has one. */
export async function sampleData(db: D1Database, workspaceId: string, type: string): Promise<string> {
  return (await findEventType(db, workspaceId, type))?.example ?? SAMPLE_DATA
}
