import type { Page } from 'playwright-core'
import { describe, expect, inject, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

const POLL = { timeout: 20_000 }
const STREAM = '**/api/v1/stream*'
/** Pages that cannot ask by the clock know only what they are told. */
const ASKS_NOTHING = 'window.setInterval = () => 0'

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  /** A tab that asks for nothing by itself, with count of its streams. */
  const openQuiet = async (url: string, token = inject('adminKey') as string | null) => {
    const streams = { opened: [] as (string | null)[], ended: 0 }
    const before = async (page: Page) => {
      await page.addInitScript(ASKS_NOTHING)
      countStreams(page, streams)
    }
    return { tab: await Tab.open(url, { token, before }), streams }
  }

  describe('a page that is looked at', () => {
    test('is told of deliveries by one stream for the whole tab, from page to page', async () => {
      const workspace = new Workspace()
      await workspace.subscribe(receiver.url('/told'))
      const { tab, streams } = await openQuiet(workspace.at('/deliveries'))
      await tab.sees('Live')
      await tab.sees('Nothing was sent yet')
      await workspace.publish('invoice.paid')
      await tab.page.getByRole('link', { name: 'invoice.paid' }).click()
      await tab.isAt('invoice.paid')
      await tab.page.getByRole('link', { name: 'Overview' }).click()
      await tab.isAt('Overview')
      expect(streams.opened).toEqual([null])
    })

    test('holds no stream while it is hidden, and goes on from where it was', async () => {
      const workspace = new Workspace()
      await workspace.subscribe(receiver.url('/hidden'))
      const { tab, streams } = await openQuiet(workspace.at('/deliveries'))
      await tab.sees('Live')
      await workspace.publish('invoice.paid')
      await tab.page.getByRole('link', { name: 'invoice.paid' }).waitFor()
      await setVisibility(tab.page, 'hidden')
      await expect.poll(() => streams.ended, POLL).toBe(1)
      expect(streams.opened).toEqual([null])
      await workspace.publish('order.created')
      await workspace.waitForStatus('success', 2)
      await setVisibility(tab.page, 'visible')
      await tab.page.getByRole('link', { name: 'order.created' }).waitFor()
      expect(streams.opened).toEqual([null, expect.stringMatching(/^\w+\.\d+$/)])
    })

    test('asks every few seconds where the stream is refused, and follows it once it is not', async () => {
      const workspace = new Workspace()
      await workspace.subscribe(receiver.url('/refused'))
      const error = { code: 'rate_limited', message: 'As many streams as may be are open.' }
      const refuse = async (page: Page): Promise<void> => {
        await page.route(STREAM, (route) => route.fulfill({ status: 429, json: { success: false, error } }))
      }
      const tab = await Tab.open(workspace.at('/deliveries'), { refused: /status of 429/, before: refuse })
      await tab.sees('Asks every few seconds')
      await workspace.publish('invoice.paid')
      await tab.page.getByRole('link', { name: 'invoice.paid' }).waitFor()
      await tab.page.unroute(STREAM)
      await tab.sees('Live')
    })

    test('opens a stream that broke again by itself', async () => {
      const workspace = new Workspace()
      await workspace.subscribe(receiver.url('/broken-off'))
      let answers = 0
      const breakOff = async (page: Page) => {
        await page.addInitScript(ASKS_NOTHING)
        const body = 'event: ready\ndata: {}\n\nevent: end\ndata: {"reason":"lifetime"}\n\n'
        const first = { contentType: 'text/event-stream', body }
        await page.route(STREAM, (route) => (answers++ === 0 ? route.fulfill(first) : route.continue()))
      }
      const tab = await Tab.open(workspace.at('/deliveries'), { before: breakOff })
      await expect.poll(() => answers, POLL).toBe(2)
      await tab.sees('Live')
      await workspace.publish('invoice.paid')
      await tab.page.getByRole('link', { name: 'invoice.paid' }).waitFor()
    })
  })

  test('a customer’s page is told of their own deliveries', async () => {
    const workspace = new Workspace()
    await workspace.subscribe(receiver.url('/mine'), { metadata: { customerId: 'mine' } })
    const link = { webhooks: { metadata: { customerId: 'mine' } }, subject: 'jane@example.com' }
    const { url } = await workspace.call<{ url: string }>('POST', '/portal-tokens', link)
    const { tab } = await openQuiet(url, null)
    await tab.sees('Live')
    await tab.page.getByRole('link', { name: 'Deliveries', exact: true }).click()
    await tab.sees('Nothing was sent yet')
    await workspace.publish('invoice.paid')
    await tab.page.getByRole('link', { name: 'invoice.paid' }).waitFor()
    expect(tab.page.url()).toBe(`${inject('relayUrl')}/portal/deliveries`)
  })
}

type Streams = { /** Each by where it goes on from. */ opened: (string | null)[]; ended: number }

function countStreams(page: Page, streams: Streams): void {
  const isStream = (url: string) => new URL(url).pathname === '/api/v1/stream'
  page.on('request', (request) => {
    if (isStream(request.url())) streams.opened.push(request.headers()['last-event-id'] ?? null)
  })
  page.on('requestfailed', (request) => {
    if (isStream(request.url())) streams.ended++
  })
}

/** What the browser tells a page whose tab is put behind another one. */
async function setVisibility(page: Page, state: 'visible' | 'hidden'): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' })
    document.dispatchEvent(new Event('visibilitychange'))
  `)
}
