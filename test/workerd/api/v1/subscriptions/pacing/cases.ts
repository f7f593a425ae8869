/** What is wrong, the fields that join good settings, the one path it is refused at, and what is said of it. */
export type Case = [string, Record<string, unknown>, string, RegExp]

/** Values that are no whole number within any of the bounds. */
const NOT_WITHIN: [string, unknown][] = [
  ['0', 0],
  ['-1', -1],
  ['a billion', 1_000_000_000],
  ['1e300', 1e300],
  ['2 ** 53', 2 ** 53],
  ['a fraction', 1000.5],
  ['a text', '1000'],
  ['a boolean', true],
  ['a list', [1000]],
  ['an object', {}],
]

const numbers = (
  path: string,
  message: RegExp,
  fields: (value: unknown) => Record<string, unknown>,
): Case[] => NOT_WITHIN.map(([name, value]) => [`${name} as ${path}`, fields(value), path, message])

const batch = (member: string, message: RegExp): Case[] => [
  ...numbers(`batchSettings.${member}`, message, (value) => ({ batchSettings: { [member]: value } })),
  [
    `null as batchSettings.${member}`,
    { batchSettings: { [member]: null } },
    `batchSettings.${member}`,
    message,
  ],
]

const flush = (name: string, value: unknown, path: string, message: RegExp): Case => [
  name,
  { batchSettings: { flushOnEvent: value } },
  `batchSettings.flushOnEvent${path}`,
  message,
]

const REQUESTS = /^must be a whole number, 1-100,000$/
const SECONDS = /^must be whole seconds, 1-3,600$/
const PATTERN = /^must be an event type, "prefix\.\*" or "\*"; a type is segments of/
const PATH = /^must be a path such as "data\.object\.total"/
const UNKNOWN = /^is not a field of this request$/
const FLAG = /^must be true or false$/
const END = /^must be "block" or "skip"$/
const BATCH = /^must be an object of "enabled", "maxEvents", "maxWaitTime", "maxBytes" and "flushOnEvent"$/
const RATE = /^must be an object of "requests" and "perSeconds"$/
const CONCURRENCY = /^must be a whole number, 1-100$/
const JSON_ONLY =
  /^needs events in JSON.*the transform makes .*change transform\.contentType, or send \{"enabled": false\}$/

const transformed = (contentType: string): Case => [
  `batches of ${contentType}`,
  { batchSettings: {}, transform: { template: 'x', contentType } },
  'batchSettings',
  JSON_ONLY,
]

/** Pacing settings that are refused, each at one path. */
export const BAD_PACING: Case[] = [
  ...batch('maxEvents', /^must be a whole number, 1-1,000$/),
  ...batch('maxWaitTime', /^must be whole seconds, 1-300$/),
  ...batch('maxBytes', /^must be whole bytes, 1,000-5,000,000$/),
  ['1,001 events', { batchSettings: { maxEvents: 1001 } }, 'batchSettings.maxEvents', /1-1,000$/],
  ['301 seconds', { batchSettings: { maxWaitTime: 301 } }, 'batchSettings.maxWaitTime', /1-300$/],
  ['999 bytes', { batchSettings: { maxBytes: 999 } }, 'batchSettings.maxBytes', /1,000-5,000,000$/],
  ['a text as enabled', { batchSettings: { enabled: 'true' } }, 'batchSettings.enabled', FLAG],
  ['1 as enabled', { batchSettings: { enabled: 1 } }, 'batchSettings.enabled', FLAG],
  ['true as batchSettings', { batchSettings: true }, 'batchSettings', BATCH],
  ['a list as batchSettings', { batchSettings: [] }, 'batchSettings', BATCH],
  ['another member of batchSettings', { batchSettings: { maxWait: 5 } }, 'batchSettings.maxWait', UNKNOWN],
  flush('a text as flushOnEvent', 'invoice.paid', '', /^must be a list of event types$/),
  flush('null as flushOnEvent', null, '', /^must be a list of event types$/),
  flush(
    '51 flush events',
    Array.from({ length: 51 }, (_, i) => `a.n${i}`),
    '',
    /^must name at most 50/,
  ),
  flush('a flush event outside the grammar', ['a', 'invoice..paid'], '[1]', PATTERN),
  flush('a flush event with a space', ['invoice paid'], '[0]', PATTERN),
  flush('a flush event with a star on its stem', ['invoice*'], '[0]', PATTERN),
  flush('an empty flush event', [''], '[0]', PATTERN),
  flush('a number as flush event', [5], '[0]', /^must be string, not number$/),
  transformed('text/plain'),
  transformed('application/xml'),
  transformed('application/x-www-form-urlencoded'),
  ['a text as ordered', { ordered: 'yes' }, 'ordered', FLAG],
  ['null as ordered', { ordered: null }, 'ordered', FLAG],
  [
    'a key without an order',
    { orderingKey: 'data.id' },
    'orderingKey',
    /^goes with "ordered": true only; send null/,
  ],
  ['an empty key', { ordered: true, orderingKey: '' }, 'orderingKey', PATH],
  ['a key with an empty name', { ordered: true, orderingKey: 'data..id' }, 'orderingKey', PATH],
  ['a long key', { ordered: true, orderingKey: 'a'.repeat(257) }, 'orderingKey', PATH],
  ['a list as key', { ordered: true, orderingKey: ['data.id'] }, 'orderingKey', PATH],
  ['another end', { ordered: true, onExhausted: 'stop' }, 'onExhausted', END],
  ['null as end', { onExhausted: null }, 'onExhausted', END],
  ['a number as end', { onExhausted: 1 }, 'onExhausted', END],
  ...numbers('rateLimit.requests', REQUESTS, (requests) => ({ rateLimit: { requests, perSeconds: 1 } })),
  ...numbers('rateLimit.perSeconds', SECONDS, (perSeconds) => ({ rateLimit: { requests: 1, perSeconds } })),
  ['a rate without seconds', { rateLimit: { requests: 1 } }, 'rateLimit.perSeconds', SECONDS],
  ['a rate without requests', { rateLimit: { perSeconds: 1 } }, 'rateLimit.requests', REQUESTS],
  ['3,601 seconds', { rateLimit: { requests: 1, perSeconds: 3601 } }, 'rateLimit.perSeconds', SECONDS],
  ['a number as rate', { rateLimit: 5 }, 'rateLimit', RATE],
  ['a text as rate', { rateLimit: '5/s' }, 'rateLimit', RATE],
  ['a burst', { rateLimit: { requests: 1, perSeconds: 1, burst: 2 } }, 'rateLimit.burst', UNKNOWN],
  ...numbers('concurrency', CONCURRENCY, (concurrency) => ({ concurrency })),
  ['101 at once', { concurrency: 101 }, 'concurrency', CONCURRENCY],
]
