import type { Data, Schemas } from '../../../../client/src/index.ts'
import { parseCount } from '../../arguments/time.ts'
import type { Context, Given } from '../../command.ts'
import { type Paint, paintFor, toneOf } from '../../render/colour.ts'
import { plain, renderFields } from '../../render/fields.ts'
import { oneLine, printable } from '../../render/table.ts'
import { relative } from '../../render/time.ts'
import { write, writeJson } from '../../render/write.ts'

type Detail = Data<'/api/v1/deliveries/{id}', 'get'>
type Attempt = Schemas['AttemptDetail']

/** Lines of a body that are shown; `--json` has all that the relay keeps. */
const LINES_MAX = 20

/** Shows one delivery and its latest attempt. */
export async function showDelivery(context: Context, { args: [id = ''] }: Given<object>): Promise<void> {
  const { posthorn } = await context.connect()
  const delivery = await posthorn.deliveries.get(id, context.call)
  if (context.isJson) return await writeJson(context, delivery)
  const paint = paintFor(context.shell.out)
  await write(context, renderDelivery(delivery, { nowMs: context.shell.nowMs(), paint }))
}

/** Shows one attempt in full. */
export async function showAttempt(
  context: Context,
  { args: [id = '', number = ''] }: Given<object>,
): Promise<void> {
  const no = parseCount(number)
  const { posthorn } = await context.connect()
  const attempt = await posthorn.deliveries.attempt(id, no, context.call)
  if (context.isJson) return await writeJson(context, attempt)
  await write(context, renderAttempt(attempt, paintFor(context.shell.out)))
}

/** Lays out a delivery: how it stands, each attempt, the last one in full. */
export function renderDelivery(delivery: Detail, { nowMs, paint }: { nowMs: number; paint: Paint }): string {
  const { status, nextRetryAt, advice, attempts, latestAttempt } = delivery
  const head = renderFields(
    [
      ['Delivery', delivery.id],
      ['Event', `${delivery.eventId} (${delivery.event})`],
      ['To', `${oneLine(delivery.url)} (${delivery.webhookId})`],
      ['Status', `${paint(toneOf(status), status)}. ${oneLine(delivery.summary)}`],
      ['Advice', plain(advice)],
      ['Next try', nextRetryAt && relative(nextRetryAt, nowMs)],
    ],
    paint,
  )
  const lines = attempts.map(({ attempt, attemptedAt, responseCode, responseTime, error, errorMessage }) => {
    const outcome = responseCode === null ? paint('bad', error ?? 'no answer') : code(responseCode, paint)
    const more = paint('quiet', oneLine(errorMessage ?? ''))
    return `  ${attempt}  ${relative(attemptedAt, nowMs)}  ${outcome}  ${responseTime} ms  ${more}`.trimEnd()
  })
  const list = lines.length === 0 ? '' : `\n${paint('strong', 'Attempts')}\n${lines.join('\n')}\n`
  const last =
    latestAttempt === null || latestAttempt === undefined ? '' : `\n${renderAttempt(latestAttempt, paint)}`
  return head + list + last
}

/** Lays out what was sent and what came back. */
export function renderAttempt(attempt: Attempt, paint: Paint): string {
  const { request, requestMissing, responseCode, responseHeaders, responseBody, timings, answeredBy } =
    attempt
  const sent =
    request === null
      ? `(not shown: ${requestMissing ?? 'not kept'})\n`
      : `${request.method} ${oneLine(request.url)}\n${headers(request.headers)}${body(request.body)}`
  const times = Object.entries(timings ?? {}).map(([name, ms]) => `${name} ${ms ?? '?'} ms`)
  const by = answeredBy === null || answeredBy === undefined ? '' : ` (by the ${answeredBy})`
  const came =
    responseCode === null
      ? `${oneLine(attempt.errorMessage ?? 'no answer')}\n`
      : `${code(responseCode, paint)}${by}\n${headers(responseHeaders)}${body(responseBody)}`
  return [
    `${paint('strong', `Attempt ${attempt.attempt}`)}  ${paint('quiet', times.join(', '))}\n`,
    `${paint('quiet', '--- sent')}\n${sent}${paint('quiet', '--- came back')}\n${came}`,
    attempt.advice ? `\n${oneLine(attempt.advice)}\n` : '',
  ].join('')
}

function code(status: number, paint: Paint): string {
  return paint(status < 300 ? 'good' : 'bad', String(status))
}

function headers(all: Record<string, unknown> | null | undefined): string {
  return Object.entries(all ?? {})
    .map(([name, value]) => `${oneLine(`${name}: ${String(value)}`)}\n`)
    .join('')
}

function body(text: string | null | undefined): string {
  if (text === null || text === undefined || text === '') return ''
  const lines = printable(text).split('\n')
  const more = lines.length > LINES_MAX ? `\n… ${lines.length - LINES_MAX} more lines: --json` : ''
  return `\n${lines.slice(0, LINES_MAX).join('\n')}${more}\n`
}
