import { describe, expect, test } from 'vitest'
import { parseJson } from '../../../packages/cli/src/arguments/json.ts'
import { renderForwarded } from '../../../packages/cli/src/commands/listen.ts'
import { eventTexts } from '../../../packages/cli/src/commands/publish/event-texts.ts'
import { renderBar } from '../../../packages/cli/src/commands/replay/follow-replay.ts'
import { renderLine } from '../../../packages/cli/src/commands/tail.ts'
import { readHeaderLines, readRawRequest } from '../../../packages/cli/src/commands/verify/raw-request.ts'
import { paintFor } from '../../../packages/cli/src/render/colour.ts'

const ESCAPE = '\x1b'
const bytes = (text: string) => new TextEncoder().encode(text)

describe('a file of events', () => {
  test.each([
    ['one on each line', '{"event":"a","data":{"n":1.50}}\n\n{"event":"b","data":{}}\n', 2, '1.50'],
    ['an array', '[{"event":"a","data":{}},{"event":"b","data":{}}]', 2, '"a"'],
    ['the body of a publish', '{"events": [{"event":"a","data":{}}]}', 1, '"a"'],
    ['one event over several lines', '{\n "event": "a",\n "data": {"n": 1.50}\n}', 1, '1.50'],
  ])('is %s', (_, text, count, first) => {
    const { texts, haveIds } = eventTexts(text, 'x')
    expect([texts.length, haveIds]).toEqual([count, false])
    expect(texts[0]).toContain(first)
  })

  test.each([
    ['', 'x has no events'],
    ['[1]', 'event 1 is no JSON object'],
    ['{"event":"a"}\nnope\n', 'x, line 2, is no JSON'],
    ['{"event":"a"}\n[]\n', 'x, line 2: an event must be a JSON object'],
  ])('that is none is refused: %j', (text, message) => {
    expect(() => eventTexts(text, 'x')).toThrow(message)
  })
})

test('broken JSON is named by line and column', () => {
  expect(() => parseJson('{\n  "a": 1,\n}', '--data')).toThrow('--data is no JSON: line 3, column 1')
  expect(() => parseJson('{\n  "a": nope\n}', '--data')).toThrow(/--data is no JSON: .*nope.*\.$/)
  expect(() => parseJson('', '--data')).toThrow('it is empty')
})

describe('a request as text', () => {
  test('is its headers, and its body to the last byte', () => {
    const text = 'POST /hooks HTTP/1.1\r\nwebhook-id: evt_1\r\nX: 1\r\nX: 2\r\n\r\n{"a":1}\n\n'
    const { headers, body } = readRawRequest(bytes(text))
    expect(headers).toEqual({ 'webhook-id': 'evt_1', X: ['1', '2'] })
    expect(new TextDecoder().decode(body)).toBe('{"a":1}\n\n')
    expect(readRawRequest(bytes('a: 1\n\nb')).headers).toEqual({ a: '1' })
    expect(readRawRequest(bytes('a: 1')).body.length).toBe(0)
  })

  test('with a line that is no header is refused', () => {
    expect(() => readHeaderLines(['webhook-id evt_1'])).toThrow('is no header')
  })
})

test('a line of tail fits the terminal, and colours only its status', () => {
  const message = {
    ...{ deliveryId: 'log_1', webhookId: 'webhook_1', eventId: 'evt_1', event: 'invoice.paid' },
    ...{
      status: 'failed' as const,
      reason: null,
      test: false,
      batchId: null,
      at: '2026-01-01T10:00:00.000Z',
    },
    nextRetryAt: '2026-01-01T10:05:00.000Z',
    attempt: { id: 'attempt_1', attempt: 2, responseCode: 502, responseTime: 180, error: 'http_status' },
  }
  const nowMs = Date.parse(message.at)
  const paint = paintFor({ hasColour: false })
  const whole = renderLine(message, { name: 'CRM', columns: Number.POSITIVE_INFINITY, nowMs, paint })
  expect(whole.slice(10)).toBe(
    'failed   502  invoice.paid → CRM (attempt 2)  180 ms, again in 5 min  log_1\n',
  )
  const cut = renderLine(message, { name: 'CRM', columns: 40, nowMs, paint: paintFor({ hasColour: true }) })
  const [, coloured = '', rest = ''] = cut.split(ESCAPE)
  expect(coloured).toMatch(/^\[31m\d\d:\d\d:\d\d {2}failed {3}502$/)
  expect(rest).toBe('[39m  invoice.paid → …\n')
})

test('a line of listen says what came, and what the server made of it', () => {
  const headers = { 'webhook-id': 'evt_1', 'Webhook-Event-Type': 'order.created', 'webhook-attempt': '2' }
  const forwarded = { headers, body: new Uint8Array(), status: null, error: 'ECONNREFUSED', latencyMs: 3 }
  const at = '2026-01-01T10:00:00.000Z'
  const paint = paintFor({ hasColour: false })
  const text = renderForwarded(forwarded, { at, columns: Number.POSITIVE_INFINITY, paint })
  expect(text.slice(10)).toBe('failed  order.created (attempt 2)  3 ms  evt_1  ECONNREFUSED\n')
  expect(
    renderForwarded({ ...forwarded, status: 200, error: null }, { at, columns: 30, paint }).slice(10),
  ).toBe('200  order.created …\n')
})

test('a bar is as full as the replay', () => {
  const replay = { replayed: 600, examined: 700 } as never
  expect(renderBar(replay, 1_200)).toBe(`${'█'.repeat(12)}${'░'.repeat(12)} 600 of 1,200 made due`)
  expect(renderBar(replay, null)).toBe('600 made due, 700 looked at')
})
