import { afterEach, describe, expect, test } from 'vitest'
import { fake, startReceiver, type TestReceiver } from '../../../packages/client/src/testing/index.ts'
import { sign } from '../../../src/signature/index.ts'

const paid = { event: 'invoice.paid', data: { object: { id: 'inv_1', total: 20 } } }

describe('a fake', () => {
  test('says what was published, by a call, a list or a publisher', async () => {
    const posthorn = fake()
    await posthorn.events.publish(paid)
    await posthorn.events.publishAll([{ event: 'invoice.sent', data: {} }])
    await posthorn.publisher().push({ event: 'order.created', data: { n: 1 } })
    expect(posthorn.published.map(({ event }) => event)).toEqual([
      'invoice.paid',
      'invoice.sent',
      'order.created',
    ])
    expect(
      posthorn.assertPublished('invoice.paid', ({ data }) => data['object'] !== undefined),
    ).toMatchObject(paid)
    posthorn.assertNotPublished('invoice.deleted')
  })

  test('fails an assertion with what was published instead', async () => {
    const posthorn = fake()
    expect(() => posthorn.assertPublished('a.b')).toThrow('No a.b was published. Nothing was published.')
    posthorn.assertNothingPublished()
    await posthorn.events.publish(paid)
    expect(() => posthorn.assertPublished('invoice.paid', () => false)).toThrow(
      'No invoice.paid was published that the predicate accepts, of 1 of this type. Published: invoice.paid.',
    )
    expect(() => posthorn.assertNothingPublished()).toThrow(
      'Nothing was to be published. Published: invoice.paid.',
    )
    expect(() => posthorn.assertNotPublished('invoice.paid')).toThrow(/^invoice.paid was published: /)
    posthorn.reset()
    posthorn.assertNothingPublished()
  })

  test('takes an id once, and refuses it for other content, as the relay does', async () => {
    const posthorn = fake()
    expect(await posthorn.events.publish({ ...paid, id: 'i-1' })).toMatchObject({ status: 'accepted' })
    expect(await posthorn.events.publish({ ...paid, id: 'i-1' })).toMatchObject({
      id: 'i-1',
      status: 'duplicate',
    })
    await expect(posthorn.events.publish({ ...paid, id: 'i-1', data: {} })).rejects.toMatchObject({
      code: 'conflict',
      status: 409,
    })
    expect(posthorn.published).toHaveLength(1)
  })

  test('refuses what the relay would refuse', async () => {
    const posthorn = fake()
    await expect(posthorn.events.publish({ event: 'invoice..paid', data: {} })).rejects.toMatchObject({
      code: 'invalid_request',
      details: [{ path: 'event' }],
    })
    posthorn.failNext('rate_limited')
    await expect(posthorn.events.publish(paid)).rejects.toMatchObject({ code: 'rate_limited', status: 429 })
    posthorn.assertNothingPublished()
  })

  test('says that it is none where more than a publish is asked of it', async () => {
    await expect(fake().subscriptions.get('webhook_1')).rejects.toThrow(/fake\(\) only publishes: GET/)
  })
})

describe('a receiver for tests', () => {
  const secret = 'your-webhook-secret-key'
  const body = JSON.stringify({ id: 'evt_1', ...paid })
  let receiver: TestReceiver
  afterEach(async () => await receiver?.close())

  const post = async (text = body, headers?: Record<string, string>) => {
    const signed = headers ?? (await sign({ body: text, secret }))
    return (await fetch(receiver.url, { method: 'POST', body: text, headers: signed })).status
  }

  test('waits for a delivery, and gives it', async () => {
    receiver = await startReceiver({ secret })
    const waiting = receiver.waitFor('invoice.paid')
    expect(await post()).toBe(200)
    expect(await waiting).toMatchObject({ id: 'evt_1', event: paid, path: '/' })
    expect(await receiver.waitFor(({ id }) => id === 'evt_1')).toBe(receiver.received[0])
  })

  test('counts the members of a batch', async () => {
    receiver = await startReceiver({ secret })
    const events = [1, 2].map((n) => ({ id: `evt_${n}`, ...paid }))
    await post(
      JSON.stringify({ batch: true, events, batchId: 'batch_1', batchTimestamp: '2026-01-01T00:00:00Z' }),
    )
    expect((await receiver.waitForCount(2)).map(({ id }) => id)).toEqual(['evt_1', 'evt_2'])
  })

  test('believes nothing that is not signed, and says why when one waits in vain', async () => {
    receiver = await startReceiver({ secret })
    expect(await post(body, {})).toBe(401)
    expect(await post(`${body} `, await sign({ body, secret }))).toBe(401)
    expect(receiver.received).toEqual([])
    await expect(receiver.waitFor('invoice.paid', { timeoutMs: 10 })).rejects.toThrow(
      /Waited 10 ms for invoice.paid. Nothing has arrived. Refused: missing_header: .*no_matching_signature: /,
    )
  })

  test('answers as it is told', async () => {
    receiver = await startReceiver({ secret })
    receiver.answerNext(503, { status: 410 })
    expect([await post(), await post(), await post()]).toEqual([503, 410, 200])
  })
})
