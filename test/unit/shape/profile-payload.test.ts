/// <reference types="node" />
import { CloudEvent, HTTP, ValidationError } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bodyText, defaultPayload } from '../../../src/model/event.ts'
import { type PayloadForm, PROFILES } from '../../../src/shape/profile.ts'
import { type PayloadEvent, profilePayload } from '../../../src/shape/profile-payload.ts'

const FORMS = PROFILES.filter((profile) => profile !== 'custom')
const DATA = '{ "object":{"total":2567.50,"no":12345678901234567890,"tags":["a}\\"",\n{}]} }'
const CONTEXT = '{"userId":"u_1", "data":1}'

function eventWith(parts: { data?: string; context?: string; apiVersion?: string } = {}): PayloadEvent {
  const body = bodyText({
    timestamp: '2024-01-15T10:30:00.123456+02:00',
    livemode: true,
    apiVersion: 'v1',
    data: DATA,
    context: CONTEXT,
    ...parts,
  })
  return { id: 'evt_1', type: 'invoice.paid', body, workspaceId: 'acme' }
}

const textOf = (form: PayloadForm, event = eventWith()) => profilePayload(form, event).text
const TIME = '2024-01-15T10:30:00.123456+02:00'

describe('the payload of a profile, to the byte', () => {
  test.each<[PayloadForm, string]>([
    ['standard', defaultPayload(eventWith())],
    ['bigledger', defaultPayload(eventWith())],
    [
      'core',
      `{"id":"evt_1","type":"invoice.paid","created_at":"${TIME}","data":${DATA},"workspace_id":"acme"}`,
    ],
    ['ledgerly', `{"event":"invoice.paid","data":${DATA}}`],
    ['marko', `{"event":"invoice.paid","data":${DATA}}`],
    ['standard-webhooks', `{"type":"invoice.paid","timestamp":"${TIME}","data":${DATA}}`],
    [
      'cloudevents',
      `{"specversion":"1.0","id":"evt_1","source":"/posthorn/workspaces/acme","type":"invoice.paid","time":"${TIME}","datacontenttype":"application/json","livemode":true,"apiversion":"v1","context":${JSON.stringify(CONTEXT)},"data":${DATA}}`,
    ],
  ])('%s', (form, text) => {
    expect(textOf(form)).toBe(text)
  })

  test('is JSON by its media type, and cloudevents says so', () => {
    expect(FORMS.map((form) => [form, profilePayload(form, eventWith()).contentType])).toEqual(
      FORMS.map((form) => [
        form,
        form === 'cloudevents' ? 'application/cloudevents+json' : 'application/json',
      ]),
    )
  })

  test('keeps data as it was sent, in every form', () => {
    const objects = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue())
    fc.assert(
      fc.property(objects, objects, fc.boolean(), (data, context, indented) => {
        const print = (value: unknown) => JSON.stringify(value, null, indented ? 1 : 0)
        const event = eventWith({ data: print(data), context: print(context) })
        for (const form of FORMS) {
          const text = textOf(form, event)
          expect(text).toContain(
            `"data":${form === 'core' && !Object.hasOwn(data, 'object') ? '{"object":' : ''}${print(data)}`,
          )
          expect(() => JSON.parse(text)).not.toThrow()
        }
      }),
    )
  })

  test.each(FORMS)('%s: 10 MB arrive whole', (form) => {
    const row = '{"text":"é\\"}{[,","total":2567.50},'
    const data = `{"rows":[${row.repeat(Math.ceil(10_000_000 / row.length))}0]}`
    const text = textOf(form, eventWith({ data }))
    expect(text.includes(data)).toBe(true)
  })

  test.each(FORMS.filter((form) => form !== 'standard' && form !== 'bigledger'))(
    '%s is not made of anything but a stored body',
    (form) => {
      expect(() => textOf(form, { ...eventWith(), body: '"timestamp":"x"}' })).toThrow('no "')
    },
  )
})

describe('core', () => {
  const dataOf = (data: string) =>
    /"data":(.*),"workspace_id"/s.exec(textOf('core', eventWith({ data })))?.[1]

  test.each([
    ['{"id":123}', '{"object":{"id":123}}'],
    ['{}', '{"object":{}}'],
    ['{"nested":{"object":1}}', '{"object":{"nested":{"object":1}}}'],
    ['{"text":"\\"object\\":1"}', '{"object":{"text":"\\"object\\":1"}}'],
    ['{"object":null,"previous":{}}', '{"object":null,"previous":{}}'],
    ['{"obj\\u0065ct":{}}', '{"obj\\u0065ct":{}}'],
  ])('%s is wrapped unless it has an object: %s', (data, expected) => {
    expect(dataOf(data)).toBe(expected)
  })

  test.each([
    ['456', '456'],
    ['0', '0'],
    ['999999999999999', '999999999999999'],
    ['1000000000000000', '"1000000000000000"'],
    ['007', '"007"'],
    ['-1', '"-1"'],
    ['1e3', '"1e3"'],
    ['acme', '"acme"'],
  ])('workspace %s is written as %s', (workspaceId, expected) => {
    const text = textOf('core', { ...eventWith(), workspaceId })
    expect(text.endsWith(`,"workspace_id":${expected}}`)).toBe(true)
  })
})

describe('cloudevents', () => {
  /** What the cloudevents library, which validates strictly, reads from a delivery. */
  function received(event: PayloadEvent): CloudEvent<unknown> {
    const { text, contentType } = profilePayload('cloudevents', event)
    const read = HTTP.toEvent({ headers: { 'content-type': contentType }, body: text })
    if (!(read instanceof CloudEvent)) throw new Error('not one event')
    return read
  }

  test('are accepted by the cloudevents library with all they hold', () => {
    expect(received(eventWith())).toMatchObject({
      specversion: '1.0',
      id: 'evt_1',
      source: '/posthorn/workspaces/acme',
      type: 'invoice.paid',
      datacontenttype: 'application/json',
      livemode: true,
      apiversion: 'v1',
      context: CONTEXT,
      data: JSON.parse(DATA),
    })
    expect(new Date(received(eventWith()).time ?? '').getTime()).toBe(Date.parse(TIME))
  })

  test('whose extensions were objects would be refused or not scalar: a context is its JSON text', () => {
    const strict = () => new CloudEvent({ source: '/', type: 'a', CONTEXT: {} })
    expect(strict).toThrow(ValidationError)
    const context = '{\n\t"a": "x\u007f\u0085y",\r\n "b": 2567.50}'
    const read = received(eventWith({ context }))['context']
    expect(read).not.toMatch(/\p{Cc}/u)
    expect(read).toContain('2567.50')
    expect(JSON.parse(String(read))).toEqual(JSON.parse(context))
  })

  test.each(['{}', '{ \n }'])('have no context where it is empty: %j', (context) => {
    expect(received(eventWith({ context }))).not.toHaveProperty('context')
  })

  test('take another source where one is given', () => {
    expect(received({ ...eventWith(), source: 'https://acme.example.com/orders' }).source).toBe(
      'https://acme.example.com/orders',
    )
    expect(received({ ...eventWith(), source: null }).source).toBe('/posthorn/workspaces/acme')
  })
})
