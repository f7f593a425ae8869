import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Handler, isThere, startFlask, startPhp } from '../../../scripts/seeds/checks/programs.ts'
import { sharedRelay } from '../../support/process/shared-relay.ts'
import { RelayApi } from '../support/relay-api.ts'
import { hasTools, type Tools } from '../support/required-tools.ts'

const SECRET = 'your-webhook-secret-key'
const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-seed-handlers-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const FLASK = isThere('flask') ? {} : { 'Flask for python3': 'python3-flask' }

const HANDLERS: [name: string, tools: Tools, start: () => Promise<Handler>][] = [
  ['Flask', FLASK, startFlask],
  ['PHP', { php: 'php-cli' }, () => startPhp(folder)],
]

describe.each(HANDLERS)("seed 002's handler in %s", (name, tools, start) => {
  if (!hasTools(tools)) return

  test('takes the test call with the body of the seed, and reads its object', async () => {
    const handler = await start()
    try {
      const api = new RelayApi(await sharedRelay(), `handlers-${name}`)
      const { id } = await api.subscribe({ url: handler.url, secret: SECRET })
      const testData = { invoiceId: 'inv_test_123', customerId: 'cust_test_456' }
      for (const event of ['invoice.created', 'invoice.paid']) {
        const { data } = await api.call('POST', `/webhooks/${id}/test`, { event, testData })
        expect(data).toMatchObject({ success: true, statusCode: 200 })
      }
      await expect.poll(() => handler.handled().join('\n')).toContain('inv_test_123')
    } finally {
      await handler.stop()
    }
  })
})
