/** An event to publish. */
export type NewEvent = {
  /** The type, such as `invoice.paid`. */
  event: string
  /** Anything that JSON can hold, as an object. */
  data: object
  context?: object | undefined
  /** An id of your own, 1-128 characters of A-Z a-z 0-9 _ - : that makes the event the same one when it comes again. */
  id?: string | undefined
  /** When it happened; the time of acceptance where it is left out. */
  timestamp?: string | Date | undefined
  livemode?: boolean | undefined
  api_version?: string | undefined
  /** Not to be delivered before, at most 30 days ahead. */
  deliverAt?: string | Date | undefined
  /** Undelivered after so long, it is skipped. */
  expiresAfterSeconds?: number | undefined
}

/**
 * Checks what a mistake in a program makes wrong; the relay checks the rest.
 *
 * @throws TypeError that names the field
 */
export function checkEvent(event: NewEvent): NewEvent {
  if (typeof event !== 'object' || event === null) throw new TypeError('an event must be an object')
  if (typeof event.event !== 'string' || event.event === '') {
    throw new TypeError('event must be the type of the event, such as "invoice.paid"')
  }
  if (typeof event.data !== 'object' || event.data === null || Array.isArray(event.data)) {
    throw new TypeError('data must be an object')
  }
  return event
}

/** The JSON of an event. A change of the object afterwards changes nothing of what is published. */
export function textOf(event: NewEvent): string {
  return JSON.stringify(event)
}

const encoder = new TextEncoder()
const ASCII = /^[\0-\x7f]*$/

/** The bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  return ASCII.test(text) ? text.length : encoder.encode(text).length
}
