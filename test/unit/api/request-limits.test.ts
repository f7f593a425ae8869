import { expect, test } from 'vitest'
import {
  HEADER_BYTES_MAX,
  HEADERS_BYTES_MAX,
  HEADERS_MAX,
  PARAMETER_CHARS_MAX,
  PARAMETERS_MAX,
  requireHead,
  URL_CHARS_MAX,
} from '../../../src/api/request/limits.ts'
import { RelayError } from '../../../src/model/errors.ts'

/** The code and the named field of a request's refusal; null for one that is taken. */
function refusalOf(path: string, headers: Record<string, string> = {}) {
  try {
    requireHead({ url: `https://relay.example.com${path}`, headers: new Headers(headers) })
    return null
  } catch (error) {
    if (!(error instanceof RelayError)) throw error
    return [error.code, error.details?.[0]?.path]
  }
}

const headersOf = (count: number, value = 'x') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, value]))

test('a path is taken up to its limit, with its query, and refused beyond it', () => {
  expect(refusalOf(`/${'a'.repeat(URL_CHARS_MAX - 1)}`)).toBeNull()
  expect(refusalOf(`/${'a'.repeat(URL_CHARS_MAX)}`)).toEqual(['uri_too_long', 'path'])
  expect(refusalOf(`/a?${'b=c&'.repeat(URL_CHARS_MAX / 4)}`)).toEqual(['uri_too_long', 'path'])
})

test('headers are taken up to their number, and refused beyond it', () => {
  expect(refusalOf('/', headersOf(HEADERS_MAX))).toBeNull()
  expect(refusalOf('/', headersOf(HEADERS_MAX + 1))).toEqual(['headers_too_large', 'headers'])
})

test('one large header is refused by its name', () => {
  const room = HEADER_BYTES_MAX - 'x-large'.length
  expect(refusalOf('/', { 'X-Large': 'x'.repeat(room) })).toBeNull()
  expect(refusalOf('/', { 'X-Large': 'x'.repeat(room + 1) })).toEqual(['headers_too_large', 'x-large'])
})

test('headers that are large together are refused', () => {
  expect(refusalOf('/', headersOf(7, 'x'.repeat(HEADERS_BYTES_MAX / 8)))).toBeNull()
  expect(refusalOf('/', headersOf(8, 'x'.repeat(HEADERS_BYTES_MAX / 8)))).toEqual([
    'headers_too_large',
    'headers',
  ])
})

test('query parameters are taken up to their number, and refused beyond it', () => {
  const query = (count: number) => `/?${Array.from({ length: count }, (_, i) => `p${i}=1`).join('&')}`
  expect(refusalOf(query(PARAMETERS_MAX))).toBeNull()
  expect(refusalOf(query(PARAMETERS_MAX + 1))).toEqual(['invalid_request', 'query'])
})

test('one large parameter is refused by its name', () => {
  const room = PARAMETER_CHARS_MAX - 'cursor='.length
  expect(refusalOf(`/?limit=1&cursor=${'x'.repeat(room)}`)).toBeNull()
  expect(refusalOf(`/?limit=1&cursor=${'x'.repeat(room + 1)}`)).toEqual(['invalid_request', 'cursor'])
})
