import { randomHex } from '../http/random.ts'
import { checkEvent, type NewEvent } from '../publish/new-event.ts'
import type { NewRow } from './row.ts'

/** Ids and types that the relay takes; a row with another one could never be published. */
const ID = /^[A-Za-z0-9_:-]{1,128}$/
const TYPE = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/
const TYPE_CHARS_MAX = 128

/**
 * Makes the row of an event. Its id and time are fixed here, so that it is the same event however often it is sent.
 *
 * @throws TypeError for an event that the relay would refuse, while the transaction can still be rolled back
 */
export function newRow(event: NewEvent): NewRow {
  const { id = `ob_${randomHex()}`, timestamp = new Date() } = checkEvent(event)
  if (!ID.test(id)) throw new TypeError('id must be 1-128 characters of A-Z a-z 0-9 _ - :')
  if (!TYPE.test(event.event) || event.event.length > TYPE_CHARS_MAX) {
    throw new TypeError(`event must be a type such as "invoice.paid", not ${JSON.stringify(event.event)}`)
  }
  return { id, body: JSON.stringify({ ...event, id, timestamp }) }
}
