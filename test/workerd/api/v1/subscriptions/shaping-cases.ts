/** What is wrong, the fields that join good settings, the path, and what is said of it. */
export type Case = [string, Record<string, unknown>, string, RegExp]

const MASKED = '********'
const nested = (levels: number, open = '[', close = ']') =>
  JSON.parse(`${open.repeat(levels)}1${close.repeat(levels)}`) as unknown
const list = <T>(length: number, value: T) => Array.from({ length }, () => value)
const names = (length: number) => Object.fromEntries(Array.from({ length }, (_, i) => [`n${i}`, 1]))

const filter = (name: string, text: unknown, message: RegExp): Case => [
  name,
  { filters: ['a == 1', text] },
  'filters[1]',
  message,
]
const template = (name: string, value: unknown, path: string, message: RegExp): Case => [
  name,
  { transform: { template: value } },
  `transform.template${path}`,
  message,
]
const condition = (name: string, value: unknown, path: string, message: RegExp): Case => [
  name,
  { conditions: [value] },
  `conditions[0]${path}`,
  message,
]
const scheme = (name: string, signature: object, path: string, message: RegExp): Case => [
  name,
  { profile: 'custom', custom: { signature: { header: 'X-My-Signature', ...signature } } },
  `custom.signature.${path}`,
  message,
]
const auth = (name: string, value: unknown, path: string, message: RegExp): Case => [
  name,
  { auth: value },
  `auth${path}`,
  message,
]
/** Client credentials that would be accepted. */
export const oauth = {
  type: 'oauth2',
  tokenUrl: 'https://auth.example.com/',
  clientId: 'c',
  clientSecret: 's',
}

const FILTERS: Case[] = [
  filter('a cut expression', 'order.total >', /line 1, column \d+: it ends where something should follow/),
  filter('a wrong sign on the second line', 'a == 1 &&\n  b = 2', /line 2, column 5: unexpected =/),
  filter('matches', 'name.matches("^(a+)+$")', /line 1, column \d+: matches\(\) is not offered/),
  filter('a nested comprehension', 'a.all(x, b.all(y, x == y))', /all\(\) cannot stand inside another/),
  filter('an unknown function', 'now() > 1', /there is no function now\(\); there are has, size/),
  filter('a number as expression', '1 + 2', /must be true or false/),
  filter('200 levels of brackets', `${'('.repeat(200)}true${')'.repeat(200)}`, /nested more than 32 deep/),
  filter('200 levels of lists', `${'['.repeat(200)}1${']'.repeat(200)} == 1`, /nested more than 32 deep/),
  filter('an endless expression', list(200, 'aaaaaaaaaa').join(' || '), /1-2000 characters/),
  filter('many parts', list(600, 'a').join('||'), /more than 1000 parts/),
  filter('an empty expression', '', /must be a CEL expression of 1-2000 characters/),
  filter('a number', 5, /must be a CEL expression/),
  filter('an object', { a: 1 }, /must be a CEL expression/),
  ['21 expressions', { filters: list(21, 'a == 1') }, 'filters', /at most 20 expressions/],
  ['a text as filters', { filters: 'a == 1' }, 'filters', /an object of paths and values, or a list/],
  ['true as filters', { filters: true }, 'filters', /an object of paths and values, or a list/],
  ['51 filters', { filters: names(51) }, 'filters', /at most 50 entries/],
  ['an unknown operator', { filters: { a: { above: 5 } } }, 'filters.a.above', /must be one of min, max, eq/],
  ['no operator', { filters: { a: {} } }, 'filters.a', /at least one of min, max/],
  ['a list of 201', { filters: { a: list(201, 1) } }, 'filters.a', /1-200 values/],
  ['an empty list', { filters: { a: [] } }, 'filters.a', /1-200 values/],
  ['an object in a list', { filters: { a: [{}] } }, 'filters.a[0]', /must be/],
  ['a bound that is a list', { filters: { a: { min: [1] } } }, 'filters.a.min', /must be/],
  ['an empty name', { filters: { 'a..b': 1 } }, 'filters.a..b', /must be a path/],
  [
    '33 names',
    { filters: { [list(33, 'a').join('.')]: 1 } },
    `filters.${list(33, 'a').join('.')}`,
    /1-32 names/,
  ],
  [
    '200 levels of filters',
    { filters: { a: nested(200, '{"a":', '}') } },
    'filters.a.a',
    /must be one of min/,
  ],
  ['200 levels of lists as a filter', { filters: { a: nested(200) } }, 'filters.a[0]', /must be/],
]

const CONDITIONS: Case[] = [
  condition(
    'an operator nobody knows',
    { field: 'a', operator: 'matches', value: 1 },
    '.operator',
    /one of eq, ne/,
  ),
  condition(
    'constructor as operator',
    { field: 'a', operator: 'constructor', value: 1 },
    '.operator',
    /one of eq/,
  ),
  condition('no field', { operator: 'eq', value: 1 }, '.field', /must be a path/),
  condition('no value', { field: 'a', operator: 'eq' }, '.value', /must be/),
  condition('a text for exists', { field: 'a', operator: 'exists', value: 'yes' }, '.value', /true or false/),
  condition('one value for in', { field: 'a', operator: 'in', value: 1 }, '.value', /list of 1-200/),
  condition('a list for gt', { field: 'a', operator: 'gt', value: [1] }, '.value', /must be/),
  condition('200 levels as value', { field: 'a', operator: 'eq', value: nested(200) }, '.value', /must be/),
  condition(
    'an unknown member',
    { field: 'a', operator: 'eq', value: 1, not: true },
    '.not',
    /is not a field/,
  ),
  condition('null', null, '', /must be an object/),
  ['an object as conditions', { conditions: {} }, 'conditions', /must be a list of conditions/],
  ['51', { conditions: list(51, { field: 'a', operator: 'eq', value: 1 }) }, 'conditions', /at most 50/],
  ['a small "and"', { conditionLogic: 'and' }, 'conditionLogic', /must be "AND" or "OR"/],
  ['null as logic', { conditionLogic: null }, 'conditionLogic', /must be "AND" or "OR"/],
  ['a text as livemode', { livemode: 'true' }, 'livemode', /must be true \(live events\)/],
  ['a number as apiVersion', { apiVersion: 2 }, 'apiVersion', /1-64 characters/],
  ['an empty apiVersion', { apiVersion: '' }, 'apiVersion', /./],
  ['a long apiVersion', { apiVersion: 'v'.repeat(65) }, 'apiVersion', /1-64 characters/],
]

const TEMPLATES: Case[] = [
  template('an open output', { a: { b: 'x {{ data.id' } }, '.a.b', /not closed.*\(line 1, column 3\)/),
  template('an open tag on line 2', '{% if a %}\n{% for %}{% endif %}', '', /\(line 2, column \d+\)/),
  template('an unknown tag', ['{% frobnicate %}'], '[0]', /no tag "frobnicate"; the tags are if/),
  template('include', '{% include "secrets" %}', '', /no tag "include"/),
  template('render', '{% render "secrets" %}', '', /no tag "render"/),
  template('layout', '{% layout "secrets" %}', '', /no tag "layout"/),
  template('an unknown filter', { a: '{{ id | shell }}' }, '.a', /no filter "shell"/),
  template('21 levels', nested(21, '{"a":', '}'), '', /at most 20 deep/),
  template('200 levels', nested(200), '', /at most 20 deep/),
  template(
    '200 levels of tags',
    '{% if a %}'.repeat(200) + '{% endif %}'.repeat(200),
    '',
    /nest tags at most 20/,
  ),
  template('501 values', list(500, 1), '', /at most 500 values/),
  template('100,000 values', list(100_000, 1), '', /at most 500 values/),
  template('65,537 characters', 'x'.repeat(65_537), '', /at most 65536 characters/),
  template('the clock', '{{ "now" | date: "%F" }}', '', /must not read the clock/),
  template('a number', 5, '', /must be an object, a list or a string/),
  template('null', null, '', /must be an object, a list or a string/),
  ['no template', { transform: {} }, 'transform.template', /is required/],
  ['a text as transform', { transform: '{{id}}' }, 'transform', /must be object/],
  [
    'an unknown member of transform',
    { transform: { template: 'x', engine: 'js' } },
    'transform.engine',
    /not a field/,
  ],
  [
    'a picture',
    { transform: { template: 'x', contentType: 'image/png' } },
    'transform.contentType',
    /text\/\*/,
  ],
  [
    'CRLF in it',
    { transform: { template: '1', contentType: 'text/plain\r\nX: y' } },
    'transform.contentType',
    /./,
  ],
  [
    'an object as text',
    { transform: { template: {}, contentType: 'text/xml' } },
    'transform.template',
    /one string/,
  ],
]

const PROFILES: Case[] = [
  ['an unknown profile', { profile: 'stripe' }, 'profile', /must be "standard", "bigledger"/],
  ['null as profile', { profile: null }, 'profile', /must be "standard"/],
  ['custom without its scheme', { profile: 'custom' }, 'custom', /is required with "profile": "custom"/],
  ['custom without a signature', { profile: 'custom', custom: {} }, 'custom.signature', /required/],
  [
    'a scheme without custom',
    { custom: { signature: { header: 'X-A' } } },
    'custom',
    /"profile": "custom" only/,
  ],
  scheme('Host', { header: 'Host' }, 'header', /another name/),
  scheme('Authorization', { header: 'authorization' }, 'header', /another name/),
  scheme('a header of the edge', { header: 'CF-Ray' }, 'header', /another name/),
  scheme('__proto__ as header', { header: '__proto__' }, 'header', /another name/),
  scheme('CRLF in the header', { header: 'X-A\r\nB' }, 'header', /header name of letters/),
  scheme('md5', { algorithm: 'md5' }, 'algorithm', /"sha256", "sha1" or "sha512"/),
  scheme('an unknown brace', { content: '{body}{secret}' }, 'content', /braces only for/),
  scheme('no body', { content: '{id}' }, 'content', /must contain \{body\} exactly once/),
  scheme('an unsent timestamp', { content: '{timestamp}.{body}' }, 'content', /without sending it/),
  scheme('CRLF in the value', { value: '{signature}\r\nX: y' }, 'value', /printable ASCII/),
  ['asymmetric with marko', { profile: 'marko', asymmetric: true }, 'asymmetric', /not "marko"/],
  ['a text as asymmetric', { asymmetric: 'yes' }, 'asymmetric', /must be boolean/],
]

const AUTHS: Case[] = [
  auth('an unknown type', { type: 'digest', username: 'u' }, '.type', /must be one of "basic", "bearer"/),
  auth('no type', { token: 't' }, '.type', /must be one of "basic"/),
  auth('a list', [], '', /must be object/),
  auth(
    'CRLF in a token',
    { type: 'bearer', token: 'a\r\nX-Admin: 1' },
    '.token',
    /without spaces or line breaks/,
  ),
  auth(
    'CRLF in a value',
    { type: 'apiKey', header: 'X-K', value: 'a\r\nb' },
    '.value',
    /without line breaks/,
  ),
  auth('CRLF in a header', { type: 'apiKey', header: 'X-K\r\nA', value: 'a' }, '.header', /header name/),
  auth(
    'CRLF in a password',
    { type: 'basic', username: 'u', password: 'a\nb' },
    '.password',
    /without line breaks/,
  ),
  auth('a colon in a user name', { type: 'basic', username: 'u:v', password: 'p' }, '.username', /":"/),
  auth(
    'a signature header',
    { type: 'apiKey', header: 'webhook-signature', value: 'a' },
    '.header',
    /reserved/,
  ),
  auth(
    'half an oauth2',
    { type: 'oauth2', tokenUrl: oauth.tokenUrl, clientId: 'c' },
    '.clientSecret',
    /required/,
  ),
  auth('both forms of oauth2', { ...oauth, token: 't' }, '.tokenUrl', /cannot be combined/),
  auth('ftp as tokenUrl', { ...oauth, tokenUrl: 'ftp://auth.example.com/' }, '.tokenUrl', /https/),
  auth('a key that is none', { type: 'jwt', algorithm: 'RS256', key: 'not-a-key' }, '.key', /./),
  auth('alg none', { type: 'jwt', algorithm: 'none', key: '12345678' }, '.algorithm', /"HS256"/),
  auth('a masked token', { type: 'bearer', token: MASKED }, '.token', /must be given/),
  auth('a masked secret', { ...oauth, clientSecret: MASKED }, '.clientSecret', /must be given/),
  auth('an unknown member', { type: 'bearer', token: 't', realm: 'x' }, '.realm', /is not a field/),
]

/** Every one of them. */
export const SHAPING_REFUSALS: Case[] = [...FILTERS, ...CONDITIONS, ...TEMPLATES, ...PROFILES, ...AUTHS]
