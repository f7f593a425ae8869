import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

const SHIPPED = path.resolve(import.meta.dirname, '../../examples/event-types')

const INVOICE = {
  description: 'An invoice was paid in full.',
  group: 'Invoices',
  example: { object: { id: 'inv_1', total: 25 } },
  schema: {
    type: 'object',
    required: ['object'],
    properties: {
      object: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string', description: 'As your books have it' },
          total: { type: 'number', minimum: 0 },
          lines: { type: 'array', items: { $ref: '#/$defs/Line' } },
        },
      },
    },
    $defs: {
      Line: {
        type: 'object',
        properties: {
          sku: { type: 'string', enum: ['A', 'B'] },
          parts: { type: 'array', items: { $ref: '#/$defs/Line' } },
        },
      },
    },
  },
}

const DOCUMENT = `openapi: 3.1.0
info: { title: Shop, version: "1" }
webhooks:
  order.created:
    post:
      description: A new order.
      tags: [Orders]
  invoice.paid:
    post:
      description: An invoice was paid.
      tags: [Invoices]
  not a name:
    post: {}
`

type Stored = { name: string; description: string | null; deprecated: boolean }

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  describe('the pages of event types', () => {
    test('show the catalogue by group, find in it, and one type with its fields and example', async () => {
      const workspace = new Workspace()
      await workspace.call('PUT', '/event-types/invoice.paid', INVOICE)
      await workspace.call('PUT', '/event-types/invoice.sent', { group: 'Invoices', deprecated: true })
      await workspace.call('PUT', '/event-types/order.created', { group: 'Orders' })
      const tab = await Tab.open(workspace.at('/event-types'))
      const { page } = tab
      await page.getByRole('heading', { level: 2, name: 'Orders' }).waitFor()
      await tab.isFineInAllForms('event-types')
      await page.getByLabel('Show').selectOption('Deprecated')
      await page.getByText('invoice.paid').waitFor({ state: 'detached' })
      expect(new URL(page.url()).search).toBe('?deprecated=true')
      await tab.sees('invoice.sent')
      await page.getByRole('button', { name: 'Clear filters' }).click()
      await page.getByRole('link', { name: 'invoice.paid' }).click()
      await tab.isAt('invoice.paid')
      await tab.sees('As your books have it')
      await tab.sees('list of objects')
      await tab.sees('one of "A", "B"')
      expect(await page.getByText('data.object.lines[].parts', { exact: true }).count()).toBe(1)
      await tab.isFineInAllForms('event-type')
    })

    test('show hundreds of types with their groups whole, and complete by all of them', async () => {
      const workspace = new Workspace()
      for (const file of readdirSync(SHIPPED).filter((name) => name.endsWith('.json')))
        await workspace.call(
          'POST',
          '/event-types/import',
          JSON.parse(readFileSync(path.join(SHIPPED, file), 'utf8')),
        )
      const tab = await Tab.open(workspace.at('/event-types'))
      const { page } = tab
      await page.getByRole('link', { name: 'work_order.started' }).waitFor()
      expect(await page.getByRole('main').getByRole('listitem').count()).toBe(284)
      await tab.isFineInAllForms('event-types-many')
      await page.getByLabel('Search').fill('invoice')
      await page.keyboard.press('Enter')
      await page.getByRole('link', { name: 'invoice.paid', exact: true }).click()
      await tab.isAt('invoice.paid')
      await tab.isFineInAllForms('event-type-shipped')
      await page.goto(workspace.at('/subscriptions/new'))
      await page.getByLabel('Events', { exact: true }).fill('invoice.paid')
      await page.getByLabel('Filters').pressSequentially('data.object.tot')
      await page.getByRole('option', { name: 'data.object.total', exact: true }).waitFor()
    })

    test('create a type, say at its field what is wrong, change it and keep the numbers of its example', async () => {
      const workspace = new Workspace()
      const tab = await Tab.open(workspace.at('/event-types'), { refused: /status of 400/ })
      const { page } = tab
      await tab.sees('The catalogue is empty')
      await page.getByRole('link', { name: 'New event type' }).click()
      await page.getByLabel('Name').fill('invoice.paid')
      await page.getByLabel('Example').fill('{"object": {"total": 2567.50, "no": 12345678901234567890}}')
      await page.getByLabel('Schema').fill('{"type": "text"}')
      await page.getByRole('button', { name: 'Create' }).click()
      await tab.sees(/^schema\.type: must be one of/)
      await tab.isFineInAllForms('event-type-refused')
      await page.getByLabel('Schema').fill('')
      await page.getByRole('button', { name: 'Create' }).click()
      await tab.isAt('invoice.paid')
      await page.getByRole('link', { name: 'Edit' }).click()
      await page.getByLabel('Description').fill('An invoice was paid.')
      await page.getByRole('button', { name: 'Save' }).click()
      await tab.isAt('invoice.paid')
      await tab.sees('2567.50')
      await tab.sees('12345678901234567890')
      await page.goto(workspace.at('/new-event-type'))
      await page.getByLabel('Name').fill('invoice.paid')
      await page.getByRole('button', { name: 'Create' }).click()
      await tab.sees('is in the catalogue already')
      const [stored] = await workspace.call<Stored[]>('GET', '/event-types')
      expect(stored).toMatchObject({ name: 'invoice.paid', description: 'An invoice was paid.' })
    })

    test('deprecate a type and delete it, when that was confirmed', async () => {
      const workspace = new Workspace()
      await workspace.call('PUT', '/event-types/invoice.paid', INVOICE)
      const tab = await Tab.open(workspace.at('/event-types/invoice.paid'))
      const { page } = tab
      await page.getByRole('button', { name: 'Deprecate' }).click()
      await tab.isFineInAllForms('event-type-deprecate')
      await page.getByRole('dialog').getByRole('button', { name: 'Deprecate' }).click()
      await page.getByRole('button', { name: 'Use it again' }).waitFor()
      const stored = await workspace.call<Stored>('GET', '/event-types/invoice.paid')
      expect(stored).toMatchObject({ ...INVOICE, deprecated: true })
      await page.getByRole('button', { name: 'Delete' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
      await tab.sees('The catalogue is empty')
      expect(await workspace.call('GET', '/event-types')).toEqual([])
    })

    test('import a document in YAML: what would change is shown first, and nothing is done before', async () => {
      const workspace = new Workspace()
      await workspace.call('PUT', '/event-types/invoice.paid', INVOICE)
      const tab = await Tab.open(workspace.at('/import-event-types'), { refused: /status of 400/ })
      const { page } = tab
      await page.getByLabel('Document as JSON or YAML').fill('openapi: "3.0.1"\nwebhooks: {}')
      await page.getByRole('button', { name: 'Show what would change' }).click()
      await tab.sees('must be the version of an OpenAPI 3.1 document')
      await page
        .getByLabel('Take a file')
        .setInputFiles({ name: 'openapi.yaml', mimeType: 'text/yaml', buffer: Buffer.from(DOCUMENT) })
      await page.getByRole('button', { name: 'Show what would change' }).click()
      await page.getByRole('heading', { name: 'New (1)' }).waitFor()
      await tab.sees('description, schema, example')
      await tab.sees('must be an event type')
      expect(await workspace.call<Stored[]>('GET', '/event-types')).toHaveLength(1)
      await tab.isFineInAllForms('event-types-import')
      await page.getByRole('button', { name: 'Import 2 types' }).click()
      await tab.isAt('Event types')
      await tab.sees('order.created')
      const stored = await workspace.call<Stored[]>('GET', '/event-types')
      expect(stored.map(({ name }) => name)).toEqual(['invoice.paid', 'order.created'])
    })

    test('show a customer what they may subscribe to, and nothing to be changed', async () => {
      const workspace = new Workspace()
      await workspace.call('PUT', '/event-types/invoice.paid', INVOICE)
      const webhooks = { metadata: { customerId: '42' } }
      const { url } = await workspace.call<{ url: string }>('POST', '/portal-tokens', { webhooks })
      const tab = await Tab.open(url, { token: null })
      const { page } = tab
      await page.getByRole('link', { name: 'Event types' }).click()
      await page.getByRole('link', { name: 'invoice.paid' }).click()
      await tab.sees('As your books have it')
      await tab.isFineInAllForms('portal-event-type')
      for (const name of ['Edit', 'Deprecate', 'Delete', 'Publish a test event'])
        expect(await page.getByText(name, { exact: true }).count(), name).toBe(0)
    })

    test("publish a test event that begins as the type's example, and lead to what became of it", async () => {
      const workspace = new Workspace()
      await workspace.call('PUT', '/event-types/invoice.paid', INVOICE)
      await workspace.subscribe(receiver.url('/tested'), { events: ['invoice.paid'] })
      const tab = await Tab.open(workspace.at('/events'))
      const { page } = tab
      await page.getByRole('link', { name: 'Publish a test event' }).click()
      await tab.isAt('Publish a test event')
      await page.getByLabel('Event type').fill('invoice.paid')
      await page.keyboard.press('Enter')
      const data = page.getByLabel('Data of the event as JSON')
      await data.waitFor()
      expect(JSON.parse(await data.inputValue())).toEqual(INVOICE.example)
      await data.fill('{"object": {"id": "inv_9", "total": 2567.50}')
      await tab.sees(/^is no JSON/)
      await data.fill('{"object": {"id": "inv_9", "total": 2567.50}}')
      await tab.isFineInAllForms('publish')
      await page.getByRole('button', { name: 'Publish invoice.paid' }).click()
      await tab.isAt('invoice.paid')
      await tab.sees('To 1 subscription.')
      expect(await receiver.waitForDelivered('/tested', 1, 20_000)).toBe(true)
      expect(receiver.requests('/tested')[0]?.body.toString()).toContain('2567.50')
    })
  })
}
