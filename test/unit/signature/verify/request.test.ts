/// <reference types="node" />
import { expect, test } from 'vitest'
import { verifyRequest } from '../../../../src/signature/index.ts'
import { BODY, delivery, hmac, ID, NOW, SECRET } from './oracle.ts'

const { headers, secret } = delivery('standard')
const post = (body: BodyInit) =>
  new Request('https://receiver.example.com/', { method: 'POST', headers, body })

test('a genuine request gives its event and its text', async () => {
  expect(await verifyRequest(post(BODY), { secret, now: NOW })).toMatchObject({
    ok: true,
    event: { test: 2432232314 },
    id: ID,
    text: BODY,
  })
})

test('the text is there for the log when the request is refused', async () => {
  expect(await verifyRequest(post('{}'), { secret, now: NOW })).toMatchObject({
    ok: false,
    reason: 'no_matching_signature',
    text: '{}',
  })
})

test('the bytes are verified, not the text they decode to', async () => {
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])
  const signed = { 'X-Signature': `sha256=${hmac(SECRET, bytes as never)}` }
  const request = new Request('https://receiver.example.com/', {
    method: 'POST',
    headers: signed,
    body: bytes,
  })
  expect(await verifyRequest(request, { secret, profile: 'bigledger' })).toMatchObject({
    ok: true,
    event: {},
    text: '\ufeff{}',
  })
})

test('a body that was read before is told, not thrown', async () => {
  const request = post(BODY)
  await request.text()
  expect(await verifyRequest(request, { secret, now: NOW })).toMatchObject({
    ok: false,
    reason: 'invalid_body',
    text: '',
  })
})

test('a body that breaks off is told, not thrown', async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('lost')) })
  const request = { headers: new Headers(headers), arrayBuffer: () => new Response(broken).arrayBuffer() }
  expect(await verifyRequest(request, { secret, now: NOW })).toMatchObject({
    ok: false,
    reason: 'invalid_body',
  })
})

test('a request without a body is verified as an empty one', async () => {
  const signed = { 'X-Signature': `sha256=${hmac(SECRET, '')}` }
  const request = new Request('https://receiver.example.com/', { headers: signed })
  expect(await verifyRequest(request, { secret, profile: 'bigledger' })).toMatchObject({ ok: true, text: '' })
})
