import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { PROFILES } from '../../src/shape/profile.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')
const [readme, guarantees, deploy] = ['README.md', 'docs/guarantees.md', 'docs/deploy.md'].map(read) as [
  string,
  string,
  string,
]
const [operations, cost] = ['docs/operations.md', 'docs/cost.md'].map(read) as [string, string]

/** A constant as its file declares it: numbers, products of numbers. */
function constant(file: string, name: string): number {
  const [, text] = new RegExp(`const ${name} = ([\\d_* ]+)$`, 'm').exec(read(`src/${file}`)) ?? []
  if (text === undefined) throw new Error(`src/${file} has no ${name}`)
  return text.split('*').reduce((product, factor) => product * Number(factor.trim().replaceAll('_', '')), 1)
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
const inWords = (value: number) => value.toLocaleString('en-US')

/** The numbers that stand in a text, without their commas. */
function numbersIn(text: string): number[] {
  return [...text.matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([number]) => Number(number.replaceAll(',', '')))
}

/** The rows of a table by their first cell. */
function rowsOf(page: string, heading: string): Map<string, string> {
  const section = page.split(new RegExp(`^#+ ${heading}$`, 'm'))[1]?.split(/^#+ /m)[0] ?? ''
  const rows = [...section.matchAll(/^\| (.+?) \| ?(.*)\|$/gm)]
  return new Map(rows.map(([, first = '', rest = '']) => [first, rest.trim()]))
}

describe('the limits of guarantees.md are those of the code', () => {
  const DAY_SECONDS = 86_400
  const rows = rowsOf(guarantees, 'Limits')

  test.each<[row: string, ...constants: [file: string, name: string, unit?: number][]]>([
    [
      'publish request',
      ['model/event.ts', 'REQUEST_BYTES_MAX'],
      ['api/body/body.ts', 'VALUES_MAX'],
      ['model/event.ts', 'EVENTS_PER_REQUEST_MAX'],
      ['publish/match-events.ts', 'PAIRS_PER_REQUEST_MAX'],
    ],
    ['any other request', ['api/define-route.ts', 'BODY_BYTES_MAX']],
    [
      'head of a request',
      ['api/request/limits.ts', 'URL_CHARS_MAX'],
      ['api/request/limits.ts', 'HEADERS_MAX'],
      ['api/request/limits.ts', 'HEADER_BYTES_MAX'],
      ['api/request/limits.ts', 'HEADERS_BYTES_MAX'],
      ['api/request/limits.ts', 'PARAMETERS_MAX'],
      ['api/request/limits.ts', 'PARAMETER_CHARS_MAX'],
    ],
    ["nesting of a request's body", ['api/body/body.ts', 'BODY_DEPTH_MAX']],
    ['nesting of `data` and `context`', ['model/event.ts', 'NESTING_DEPTH_MAX']],
    ['event type', ['model/event-type.ts', 'EVENT_TYPE_LENGTH_MAX']],
    ['secret', ['signature/secret.ts', 'SECRET_LENGTH_MAX']],
    ['patterns of a subscription', ['subscription/input.ts', 'EVENT_PATTERNS_MAX']],
    [
      'filters, conditions',
      ['match/filters.ts', 'FILTER_ENTRIES_MAX'],
      ['match/conditions.ts', 'CONDITIONS_MAX'],
      ['match/operator.ts', 'LIST_VALUES_MAX'],
      ['match/cel/parse.ts', 'EXPRESSIONS_MAX'],
      ['match/cel/parse.ts', 'EXPRESSION_CHARS_MAX'],
    ],
    ["work of a subscription's rules for one event", ['match/step-budget.ts', 'STEPS_MAX']],
    [
      'work of the rules for all events of a publish',
      ['publish/match-events.ts', 'MATCH_STEPS_PER_REQUEST_MAX'],
    ],
    [
      'template',
      ['shape/liquid/budget.ts', 'TEMPLATE_CHARS_MAX'],
      ['shape/liquid/budget.ts', 'TEMPLATE_LEAVES_MAX'],
      ['shape/liquid/budget.ts', 'ITERATIONS_MAX'],
      ['shape/liquid/budget.ts', 'OUTPUT_CHARS_MAX'],
    ],
    [
      'catalogue of a workspace',
      ['catalogue/catalogue.ts', 'EVENT_TYPES_MAX'],
      ['catalogue/catalogue.ts', 'SCHEMAS_BYTES_MAX'],
      ['catalogue/schema/compile.ts', 'JSON_BYTES_MAX'],
    ],
    ['overlap of two secrets', ['api/v1/subscriptions/secrets.ts', 'OVERLAP_SECONDS_MAX', DAY_SECONDS]],
    ['access token, header of `auth`', ['destination/auth.ts', 'TOKEN_LENGTH_MAX']],
    [
      'custom headers',
      ['shape/headers.ts', 'HEADERS_MAX'],
      ['shape/headers.ts', 'HEADER_NAME_LENGTH_MAX'],
      ['shape/headers.ts', 'HEADER_VALUE_LENGTH_MAX'],
    ],
    [
      'retries',
      ['outcome/retry-policy.ts', 'RETRIES_MAX'],
      ['outcome/retry-policy.ts', 'DELAY_SECONDS_MAX', DAY_SECONDS],
    ],
    [
      'page of a list',
      ['api/paging.ts', 'PAGE_LIMIT_MAX'],
      ['api/paging.ts', 'LARGE_ROWS_MAX'],
      ['api/paging.ts', 'PAGE_LIMIT_DEFAULT'],
    ],
    [
      '`deliverAt`, `expiresAfterSeconds`',
      ['model/event-timing.ts', 'EXPIRY_SECONDS_MAX', DAY_SECONDS],
      ['model/event-timing.ts', 'DELIVER_AHEAD_SECONDS_MAX', DAY_SECONDS],
    ],
    ['response rules of a subscription', ['outcome/response-rules.ts', 'RESPONSE_RULES_MAX']],
    [
      'batch',
      ['pacing/settings.ts', 'BATCH_EVENTS_MAX'],
      ['pacing/settings.ts', 'BATCH_WAIT_SECONDS_MAX'],
      ['pacing/settings.ts', 'BATCH_BYTES_MAX'],
      ['pacing/settings.ts', 'FLUSH_PATTERNS_MAX'],
    ],
    [
      'running replays of a workspace',
      ['replay/start.ts', 'RUNNING_REPLAYS_MAX'],
      ['replay/start.ts', 'BOUND_RUNNING_REPLAYS_MAX'],
    ],
    [
      '[listeners](api.md#listeners) of a workspace',
      ['listen/terms.ts', 'LISTENERS_MAX'],
      ['listen/terms.ts', 'IN_HAND_BYTES_MAX', 1e6],
      ['listen/terms.ts', 'BYTES_MAX', 1e6],
    ],
    ['retention', ['workspace/settings.ts', 'RETENTION_DAYS_MAX']],
  ])('%s', (row, ...constants) => {
    const shown = numbersIn(rows.get(row) ?? '')
    for (const [file, name, unit = 1] of constants) {
      expect(shown, `${row}: ${name}`).toContain(constant(file, name) / unit)
    }
  })

  test('one database', () => {
    const bytes = constant('store/database-limit.ts', 'DATABASE_BYTES_MAX')
    const full = constant('store/capacity.ts', 'CAPACITY_FULL_PERCENT')
    expect(rows.get('one database')).toContain(`${bytes / 1e9} GB`)
    expect(rows.get('one database')).toContain(`At ${full} %`)
  })
})

describe('README counts', () => {
  test('the events of the demo', () => {
    expect(readme).toContain(`${readdirSync(path.join(ROOT, 'examples/events')).length} example events`)
  })

  test('the profiles', () => {
    expect(readme).toContain(`${WORDS[PROFILES.length]} profiles`)
  })
})

describe('design/storage.md', () => {
  test('names each class of Durable Objects with its migration', () => {
    const added = /^tag = "(.+)"\nnew_sqlite_classes = \["(.+)"\]$/gm
    const classes = [...read('wrangler.toml').matchAll(added)].map(
      ([, tag, name]) => `\`${name}\` (\`${tag}\`)`,
    )
    const table = rowsOf(read('docs/design/storage.md'), 'Durable Objects')
    expect([...table.keys()].filter((row) => row.startsWith('`'))).toEqual(classes)
  })
})

describe('deploy.md', () => {
  test('counts the queues that a deploy creates', () => {
    const queues = new Set([...read('wrangler.toml').matchAll(/^queue = "(.+)"$/gm)].map(([, name]) => name))
    expect(deploy).toContain(`an R2 bucket, ${WORDS[queues.size]} queues`)
  })

  test('counts the classes of Durable Objects', () => {
    const classes = [...read('wrangler.toml').matchAll(/^class_name = /gm)]
    expect(deploy).toContain(`${WORDS[classes.length]} classes`)
  })

  test('calculates what a month costs from the amounts, and from the price list of cost.md', () => {
    const amounts = rowsOf(deploy, 'What it costs')
    const prices = rowsOf(cost, 'Cost')
    const cellsOf = (row: string) => (amounts.get(row) ?? '').split(' | ').map((cell) => numbersIn(cell))
    const priceOf = {
      requests: 'requests (HTTP, queue consumer, cron)',
      CPU: 'CPU',
      'D1 storage': 'D1 storage',
    }
    const listed = {
      ...priceOf,
      'queue operations': 'queue operations (write, read, delete: 3 per message up to 64 KB)',
      'D1 rows written': 'D1 rows written',
    }
    const sums = [0, 0, 0, 0].map(() => 5)
    for (const [row, name] of Object.entries(listed)) {
      const numbers = numbersIn((prices.get(name) ?? '').replaceAll('$', ''))
      const [included = Number.NaN, price = Number.NaN] = numbers
      for (const [column, [amount = Number.NaN, dollars = Number.NaN]] of cellsOf(row).entries()) {
        const exact = Math.max(0, amount - included) * price
        expect(Math.abs(dollars - exact), `${row}, column ${column}`).toBeLessThan(0.0051)
        sums[column] = (sums[column] ?? 0) + dollars
      }
    }
    const together = cellsOf('**together**').map(([dollars]) => dollars)
    expect(together).toEqual(sums.map((sum) => Number(sum.toFixed(2))))
  })
})

describe('operations.md names', () => {
  const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(`src/${name}`))
    .join('\n')
  const inSources = (pattern: RegExp) => new Set([...sources.matchAll(pattern)].map(([, name = '']) => name))

  test('every metric, and no other', () => {
    const table = [...rowsOf(operations, 'Metrics').keys()].join(' ')
    const named = table.replaceAll('`_', '`posthorn_database_').match(/posthorn_[a-z_]+/g) ?? []
    const written = inSources(/'(posthorn_(?!local_admin)[a-z_]+)'/g)
    expect([...named].sort()).toEqual([...written].sort())
  })

  test('every line of the log, and no other', () => {
    const named = [...rowsOf(operations, 'Logs').keys()].join(' ').match(/[a-z]+\.[a-z-]+/g) ?? []
    const written = inSources(/\blog(?:ToConsole)?\(\s*'([a-z]+\.[a-z-]+)'/g)
    for (const job of ['sweep', 'purge', 'erase']) {
      for (const end of ['completed', 'failed']) written.add(`${job}.${end}`)
    }
    expect(new Set(named)).toEqual(written)
  })

  test('every variable of the Worker', () => {
    const schema = /variablesSchema = z\.object\(\{(.*?)\n\}\)/s.exec(read('src/env.ts'))?.[1] ?? ''
    const names = [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(5)
    expect(names.filter((name) => !operations.includes(`| \`${name}\` |`))).toEqual([])
  })

  test('the limit of the bundle, and how many subscriptions metrics name', () => {
    const [, bytes = ''] = /LIMIT_BYTES = ([\d_]+)/.exec(read('scripts/build/size.ts')) ?? []
    expect(operations).toContain(`outgrows ${inWords(Number(bytes.replaceAll('_', '')) / 1000)} kB`)
    const most = constant('operate/worst-subscriptions.sql.ts', 'WORST_MAX')
    expect(operations).toContain(`at most ${most} each and the worst`)
    // Two reasons of being disabled, and four other metrics.
    expect(operations).toContain(`at most ${6 * most} such series`)
  })
})

describe('cost.md adds up', () => {
  const table = rowsOf(cost, 'A million events')
  const cells = (row: string) => (table.get(row) ?? '').split(' | ')
  const dollars = (cell: string) => Number(/\$([\d.]+)/.exec(cell.replaceAll('*', ''))?.[1])

  test.each([0, 1, 2])('column %i of a million events', (column) => {
    const parts = [
      'rows',
      'rows read',
      'HTTP requests',
      'consumer requests',
      'queue operations',
      'CPU (assumed)',
    ]
    const sum = parts.reduce((total, row) => total + dollars(cells(row)[column] ?? ''), 0)
    expect(dollars(cells('**together**')[column] ?? '')).toBeCloseTo(sum, 2)
  })

  test('from the price list and the rows of each step', () => {
    const perMillion = (row: string) => numbersIn(rowsOf(cost, 'Cost').get(row) ?? '').at(-1) ?? Number.NaN
    const steps = rowsOf(cost, 'Rows')
    const rowsOfStep = (name: string) => numbersIn(steps.get(name) ?? '')[0] ?? Number.NaN
    const claim = rowsOfStep('claim, per up to 100 deliveries')
    const [settled = Number.NaN] = numbersIn(
      steps.get('settling a claim, per part (one, where its receivers answer within 0.4 s)') ?? '',
    )
    const end = rowsOfStep("a claim's end: its removal, and its subscriptions' counters for the hour")
    const perEvent =
      rowsOfStep('event') + rowsOfStep('first attempt succeeds') + (claim + settled + end) / 100
    expect(dollars(cells('rows')[0] ?? '')).toBeCloseTo(perEvent * perMillion('D1 rows written'), 2)
    const alone = rowsOfStep('event') + rowsOfStep('first attempt succeeds') + claim + settled + end
    expect(dollars(cells('rows')[2] ?? '')).toBeCloseTo(alone * perMillion('D1 rows written'), 2)
  })
})

describe('the words are those of the glossary', () => {
  /** What the glossary calls waiting, roll up, watermark, to form a batch, divert. */
  const RETIRED = /\b(?:(?<!the )rests?|resting|folds?|folded|marks?|bound anew|troubled|crew|stragglers?)\b/i

  test.each([
    ['README.md', readme],
    ['docs/guarantees.md', guarantees],
    ['docs/deploy.md', deploy],
    ['docs/operations.md', operations],
  ])('of %s', (_, page) => {
    const prose = page.replace(/^```.*?^```$/gms, '').replace(/`[^`]*`/g, '')
    expect(prose.split('\n').filter((line) => RETIRED.test(line))).toEqual([])
  })
})
