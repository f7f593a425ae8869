import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HostResolver } from '../../../../src/destination/dns/resolver.ts'

const SERVER = 'https://dns.example.net/dns-query?dnssec=1'
const TYPES: Record<string, number> = { A: 1, AAAA: 28 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

type Given = {
  addresses?: Record<string, string[]>
  ttl?: number
  answer?: () => Response | Promise<Response>
}

/** A resolver with a clock that a test moves by hand, and the questions that its server was asked. */
function createScene(given: Given = {}) {
  const scene = { nowMs: 1_000_000, addresses: {}, ttl: 30, ...given }
  const questions: string[] = []
  const requests: RequestInit[] = []
  const answer = (type: string) => {
    const Answer = (scene.addresses as Record<string, string[]>)[type]?.map((data) => ({
      name: 'x',
      type: TYPES[type],
      TTL: scene.ttl,
      data,
    }))
    return Response.json({ Status: 0, Answer })
  }
  const fetch = async (url: string, init: RequestInit) => {
    const { searchParams } = new URL(url)
    questions.push(`${searchParams.get('name')} ${searchParams.get('type')}`)
    requests.push({ ...init, url } as RequestInit)
    return scene.answer === undefined ? answer(searchParams.get('type') ?? '') : await scene.answer()
  }
  const resolver = new HostResolver({
    server: SERVER,
    fetch: fetch as unknown as typeof globalThis.fetch,
    now: () => scene.nowMs,
    userAgent: 'Posthorn/test',
  })
  return { scene, questions, requests, lookUp: (host = 'a.com') => resolver.lookUp(host) }
}

describe('a look-up', () => {
  test('asks for both kinds of addresses, by GET, following no redirect', async () => {
    const { lookUp, questions, requests } = createScene({
      addresses: { A: ['1.1.1.1'], AAAA: ['2400:cb00::1'] },
    })
    expect(await lookUp()).toEqual({ kind: 'found', addresses: ['1.1.1.1', '2400:cb00::1'] })
    expect(questions).toEqual(['a.com A', 'a.com AAAA'])
    expect(requests).toMatchObject([
      {
        url: 'https://dns.example.net/dns-query?dnssec=1&name=a.com&type=A',
        redirect: 'manual',
        headers: { Accept: 'application/dns-json', 'User-Agent': 'Posthorn/test' },
      },
      {},
    ])
  })

  test.each([
    [30, 30],
    [60, 60],
    [61, 60],
    [1e9, 60],
  ])('with a time to live of %i s is kept for %i s', async (ttl, seconds) => {
    const { lookUp, questions, scene } = createScene({ addresses: { A: ['1.1.1.1'] }, ttl })
    await lookUp()
    scene.nowMs += seconds * 1000 - 1
    await lookUp()
    expect(questions).toHaveLength(2)
    scene.nowMs += 1
    await lookUp()
    expect(questions).toHaveLength(4)
  })

  test('without time to live is made anew', async () => {
    const { lookUp, questions } = createScene({ addresses: { A: ['1.1.1.1'] }, ttl: 0 })
    await lookUp()
    await lookUp()
    expect(questions).toHaveLength(4)
  })

  test('lives as long as the alias on its way', async () => {
    const Answer = [
      { name: 'a.com', type: 5, TTL: 10, data: 'b.com.' },
      { name: 'b.com', type: 1, TTL: 50, data: '1.1.1.1' },
    ]
    const { lookUp, questions, scene } = createScene({ answer: () => Response.json({ Status: 0, Answer }) })
    expect(await lookUp()).toEqual({ kind: 'found', addresses: ['1.1.1.1'] })
    scene.nowMs += 10_000
    await lookUp()
    expect(questions).toHaveLength(4)
  })

  test('of one host is shared by all who ask meanwhile, of two it is not', async () => {
    const { lookUp, questions } = createScene({ addresses: { A: ['1.1.1.1'] }, ttl: 0 })
    await Promise.all([lookUp(), lookUp(), lookUp(), lookUp('b.com')])
    expect(questions).toEqual(['a.com A', 'a.com AAAA', 'b.com A', 'b.com AAAA'])
  })

  test('that another invocation left undone is made again', async () => {
    const { lookUp, questions, scene } = createScene({ answer: () => new Promise(() => undefined) })
    void lookUp()
    scene.nowMs += 2_500
    scene.answer = () => Response.json({ Status: 0, Answer: [{ type: 1, TTL: 9, data: '1.1.1.1' }] })
    expect(await lookUp()).toEqual({ kind: 'found', addresses: ['1.1.1.1'] })
    expect(questions).toHaveLength(4)
  })
})

describe('a host', () => {
  test.each([
    ['exists without an address', { Status: 0 }],
    ['does not exist', { Status: 3 }],
    ['has other records only', { Status: 0, Answer: [{ type: 5, TTL: 5, data: 'b.com.' }] }],
  ])('that %s has none, which is believed for 5 s', async (_, body) => {
    const { lookUp, questions, scene } = createScene({ answer: () => Response.json(body) })
    expect(await lookUp()).toEqual({ kind: 'none' })
    scene.nowMs += 4_999
    await lookUp()
    expect(questions).toHaveLength(2)
    scene.nowMs += 1
    await lookUp()
    expect(questions).toHaveLength(4)
  })
})

describe('a server that fails is told apart from a host without address:', () => {
  const record = (data: unknown) => ({ type: 1, TTL: 5, data })
  test.each<[string, () => Response, RegExp]>([
    ['500', () => new Response('no', { status: 500 }), /answered 500/],
    ['204', () => new Response(null, { status: 204 }), /answered 204/],
    ['a redirect', () => new Response('', { status: 302, headers: { location: '/' } }), /answered 302/],
    ['no JSON', () => new Response('<html>'), /something else than DNS in JSON/],
    ['an empty answer', () => new Response(null), /something else than DNS in JSON/],
    ['a list', () => Response.json([]), /something else/],
    ['no status', () => Response.json({ Answer: [record('1.1.1.1')] }), /something else/],
    ['a record without data', () => Response.json({ Status: 0, Answer: [{ type: 1 }] }), /something else/],
    [
      '201 records',
      () => Response.json({ Status: 0, Answer: Array(201).fill(record('1.1.1.1')) }),
      /something/,
    ],
    ['SERVFAIL', () => Response.json({ Status: 2 }), /code 2/],
    ['REFUSED', () => Response.json({ Status: 5 }), /code 5/],
    ['a cut answer', () => Response.json({ Status: 0, TC: true, Answer: [record('1.1.1.1')] }), /a part/],
    ['a name as an address', () => Response.json({ Status: 0, Answer: [record('a.com')] }), /that is none/],
    [
      'an address in octal',
      () => Response.json({ Status: 0, Answer: [record('0177.0.0.1')] }),
      /that is none/,
    ],
    ['too much', () => new Response(`{"Status":0,"x":"${'x'.repeat(70_000)}"}`), /more than 64 KB/],
  ])('%s', async (_, answer, message) => {
    const { lookUp } = createScene({ answer })
    expect(await lookUp()).toEqual({ kind: 'failed', message: expect.stringMatching(message) })
  })

  test('one of two questions is enough', async () => {
    let n = 0
    const answer = () =>
      n++ === 0 ? Response.json({ Status: 0, Answer: [record('1.1.1.1')] }) : Response.json({ Status: 2 })
    const { lookUp } = createScene({ answer })
    expect(await lookUp()).toMatchObject({ kind: 'failed' })
  })

  test('no connection', async () => {
    const { lookUp } = createScene({ answer: () => Promise.reject(new Error('refused')) })
    expect(await lookUp()).toEqual({ kind: 'failed', message: expect.stringMatching(/could not be reached/) })
  })

  test('silence for 2 s', async () => {
    const { lookUp, requests, scene } = createScene()
    scene.answer = () =>
      new Promise((_, reject) => {
        const { signal } = requests.at(-1) as RequestInit
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    const lookup = lookUp()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await lookup).toEqual({ kind: 'failed', message: expect.stringMatching(/within 2 s/) })
  })

  test('a failure is kept for a second', async () => {
    const { lookUp, questions, scene } = createScene({ answer: () => new Response('', { status: 500 }) })
    await lookUp()
    scene.nowMs += 999
    await lookUp()
    expect(questions).toHaveLength(2)
    scene.nowMs += 1
    await lookUp()
    expect(questions).toHaveLength(4)
  })
})
