/// <reference types="vite/client" />
import { expect, test } from 'vitest'
import bigledger from '../../../../../examples/event-types/bigledger.json'
import salesCrm from '../../../../../examples/event-types/sales-crm.json'
import { Client, type SubscriptionAnswer } from '../../../../support/process/http-client.ts'

const texts = import.meta.glob<string>('../../../../../examples/subscriptions/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const EXAMPLES = Object.entries(texts).map(([path, text]) => [path.split('/').at(-1) ?? path, text] as const)

test.each(EXAMPLES)('%s is taken, and shown as it was given', async (_, text) => {
  const given = JSON.parse(text) as Record<string, unknown>
  const { transform, auth: _auth, secret: _secret, ...plain } = given
  const subscription = await new Client().subscribe(given)
  expect(subscription).toMatchObject(plain)
  if (transform !== undefined) expect(subscription['transform']).toMatchObject(transform as object)
})

test('the CRM of the applet is asked at most 100 times a minute', () => {
  const [, text = '{}'] = EXAMPLES.find(([file]) => file === '004-crm-customer-sync.json') ?? []
  expect(JSON.parse(text)).toMatchObject({ rateLimit: { requests: 100, perSeconds: 60 } })
})

test('with the shipped catalogue, no path of an example is warned of', async () => {
  const client = new Client()
  for (const catalogue of [bigledger, salesCrm]) await client.post('/event-types/import', catalogue)
  const warned: Record<string, unknown> = {}
  for (const [file, text] of EXAMPLES) {
    const { data } = await client.post<SubscriptionAnswer>('/webhooks/subscribe', JSON.parse(text))
    const all = (data['warnings'] ?? []) as { path: string; message: string }[]
    // A secret to be read in an example is one that can be guessed.
    const warnings = all.filter(({ path }) => path !== 'secret')
    if (warnings.length > 0) warned[file] = warnings
  }
  expect(warned).toEqual({})
})
