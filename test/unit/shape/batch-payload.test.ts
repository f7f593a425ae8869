import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BatchElement,
  countFitting,
  envelopeOf,
  leastBytes,
  mayBeBatch,
  splitInHalf,
} from '../../../src/shape/batch-payload.ts'

const LABEL = { batchId: 'batch_123456789', boundAtMs: Date.UTC(2024, 0, 15, 10, 31, 30) }
const encode = (text: string) => new TextEncoder().encode(text)

function textOf(elements: readonly string[], elementType = 'application/json'): string {
  const { head, tail } = envelopeOf(elementType, LABEL)
  return head + elements.join(',') + tail
}

describe('the envelope of a batch', () => {
  test.each(['application/json', 'application/json; charset=utf-8', 'application/vnd.acme+json'])(
    'of %s is seed 002’s batch payload, to the byte',
    (type) => {
      expect(textOf(['{"id":"evt_001"}', '{"id":"evt_002"}'], type)).toBe(
        '{"batch":true,"events":[{"id":"evt_001"},{"id":"evt_002"}],"batchId":"batch_123456789","batchTimestamp":"2024-01-15T10:31:30.000Z"}',
      )
      expect(envelopeOf(type, LABEL).contentType).toBe('application/json')
    },
  )

  test.each(['application/cloudevents+json', 'Application/CloudEvents+JSON ; charset=utf-8'])(
    'of %s is CloudEvents’ JSON batch format',
    (type) => {
      expect(textOf(['{}', '{}'], type)).toBe('[{},{}]')
      expect(envelopeOf(type, LABEL).contentType).toBe('application/cloudevents-batch+json')
    },
  )
})

const element: fc.Arbitrary<BatchElement> = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\ud800'), maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }).map(encode),
)

describe('what fits into a batch', () => {
  test('is the longest list whose body has at most so many UTF-8 bytes, or one event', () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 12 }), fc.nat(400), (elements, maxBytes) => {
        const envelope = envelopeOf('application/json', LABEL)
        const bytesOf = (count: number) => {
          const { head, tail } = envelope
          const bytes = elements
            .slice(0, count)
            .map((each) => (typeof each === 'string' ? encode(each) : each))
          const commas = count - 1
          return encode(head + tail).length + bytes.reduce((sum, { length }) => sum + length, commas)
        }
        const count = countFitting(elements, envelope, maxBytes)
        expect(count).toBeGreaterThanOrEqual(1)
        if (count > 1) expect(bytesOf(count)).toBeLessThanOrEqual(maxBytes)
        if (count < elements.length) expect(bytesOf(count + 1)).toBeGreaterThan(maxBytes)
        expect(countFitting(elements, envelope, bytesOf(elements.length))).toBe(elements.length)
        if (elements.length > 1) {
          expect(countFitting(elements, envelope, bytesOf(elements.length) - 1)).toBe(elements.length - 1)
        }
      }),
    )
  })

  test('is never fewer than its characters', () => {
    fc.assert(
      fc.property(element, (each) => {
        const bytes = typeof each === 'string' ? encode(each) : each
        expect(leastBytes(each)).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })
})

test.each([
  [
    [1, 2, 3, 4],
    [1, 2],
    [3, 4],
  ],
  [[5, 6, 9], [5, 6], [9]],
  [[5, 6], [5], [6]],
  [[5], [5], []],
])('%j is halved into %j and %j', (seqs, first, second) => {
  expect(splitInHalf(seqs)).toEqual([first, second])
})

describe('bytes that were kept', () => {
  const body = encode(textOf(['{"name":"Zoë"}']))

  test('are the batch they name, and no other', () => {
    expect(mayBeBatch(body, 'application/json', LABEL.batchId)).toBe('yes')
    expect(mayBeBatch(body, 'application/json', 'batch_123456780')).toBe('no')
    expect(mayBeBatch(body, 'application/json', 'batch_12345678')).toBe('no')
    expect(mayBeBatch(body, 'text/plain', LABEL.batchId)).toBe('no')
  })

  test.each(['', '{}', '{"id":"é"}', `{"batchId":"${LABEL.batchId}"}`, '€'.repeat(60)])(
    'that are the payload of one event are no batch: %s',
    (text) => {
      expect(mayBeBatch(encode(text), 'application/json', LABEL.batchId)).toBe('no')
    },
  )

  test('may be a batch where they are a list of CloudEvents, which names none', () => {
    expect(mayBeBatch(encode('[{}]'), 'application/cloudevents-batch+json', LABEL.batchId)).toBe('maybe')
  })
})
