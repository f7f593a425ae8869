import { memberSpans } from '../base/json/members.ts'
import { findEventType } from '../catalogue/event-types.sql.ts'
import { type PayloadForm, payloadForm } from '../shape/profile.ts'
import type { Subscription } from './subscription.ts'

/** The type of a sample when the caller names none, and the subscription only patterns. */
export const SAMPLE_TYPE = 'webhook.test'
const SAMPLE_OBJECT = '{"test":true}'

/** Payloads whose receivers read `data.object`, as seed 002's do; that of `core` is made so when it is sent. */
const FORMS_WITH_OBJECT: readonly PayloadForm[] = ['standard', 'bigledger']

type Sampled = Pick<Subscription, 'settings' | 'workspaceId'>

/** The type of a sample event: the one that is named, else the first exact one of the subscription. */
export function sampleType(named: string | undefined, { settings }: Pick<Sampled, 'settings'>): string {
  return named ?? settings.events.find((pattern) => !pattern.endsWith('*')) ?? SAMPLE_TYPE
}

/** Sample data of a type, as JSON text: the catalogue's example where it has one. */
export async function sampleData(db: D1Database, subscription: Sampled, type: string): Promise<string> {
  const example = (await findEventType(db, subscription.workspaceId, type))?.example
  return example ?? dataOfObject(subscription, SAMPLE_OBJECT)
}

/** Data around the object that an event is about, where the subscription's receivers look for it. */
export function dataOfObject({ settings }: Pick<Sampled, 'settings'>, objectText: string): string {
  const form = payloadForm(settings.profile, settings.custom)
  const isWhole = !FORMS_WITH_OBJECT.includes(form) || memberSpans(objectText, 0).has('object')
  return isWhole ? objectText : `{"object":${objectText}}`
}
