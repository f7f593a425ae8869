import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { Receiver } from '../support/receivers/receiver.ts'
import { CHROMIUM } from './support/chromium.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

const PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><circle r="24"/></svg>'
const NEEDS_LINK = 'Open it again, or ask for a new one where you got it.'

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  const workspace = new Workspace()
  const other = 'Ledger of another'
  let receiver: Receiver
  watchTabs()

  const linkFor = async (customerId: string, settings: Record<string, unknown> = {}, of = workspace) => {
    const body = { webhooks: { metadata: { customerId } }, subject: 'jane@example.com', ...settings }
    return (await of.call<{ url: string }>('POST', '/portal-tokens', body)).url
  }

  beforeAll(async () => {
    receiver = await Receiver.start()
    const add = (name: string, customerId: string) =>
      workspace.subscribe(receiver.url(`/${customerId}`), { name, metadata: { customerId } })
    await add('Ledger of mine', 'mine')
    await add(other, 'other')
    await workspace.publish('invoice.paid')
  })
  afterAll(async () => {
    await receiver.close()
  })

  describe('a customer with a link', () => {
    test('sees their own subscriptions and deliveries, under the name, logo and colour of the operator', async () => {
      const tab = await Tab.open(`${inject('relayUrl')}/portal`, { token: null })
      await tab.sees(NEEDS_LINK)
      await tab.isFineInAllForms('portal-no-link')
      const asked = await answerLogos(tab.page)
      const theme = { name: 'Ledgerly', logo: `${inject('logoOrigin')}/logo.svg`, accentColor: '#0a5fd8' }
      await tab.page.goto(await linkFor('mine', { theme }))
      await tab.isAt('Overview')
      expect(tab.page.url()).toBe(`${inject('relayUrl')}/portal`)
      expect(await tab.page.title()).toBe('Overview · Ledgerly')
      await tab.sees('jane@example.com')
      expect(asked).toEqual([theme.logo])
      expect(await accentOf(tab.page)).toBe('rgb(10, 95, 216)')
      await tab.isFineInAllForms('portal-overview')
      await tab.page.getByRole('link', { name: 'Subscriptions', exact: true }).click()
      await tab.sees('Ledger of mine')
      expect(await tab.page.getByText(other).count()).toBe(0)
      await tab.page.getByRole('link', { name: 'Deliveries', exact: true }).click()
      await tab.sees('invoice.paid')
      expect(await tab.page.getByRole('row').count()).toBe(2)
      await tab.page.getByRole('link', { name: 'invoice.paid' }).click()
      await tab.isAt('Event')
      await tab.sees(/answered 200/)
      expect(await tab.page.getByText('/other').count()).toBe(0)
      await tab.isFineInAllForms('portal-event')
    })

    test('comes back to the page they looked at when they load it again', async () => {
      const tab = await Tab.open(await linkFor('mine'), { token: null })
      await tab.page.getByRole('link', { name: 'Deliveries', exact: true }).click()
      await tab.isAt('Deliveries')
      await tab.page.reload()
      await tab.isAt('Deliveries')
      expect(tab.page.url()).toBe(`${inject('relayUrl')}/portal/deliveries`)
    })

    test('is shown the pages of their scopes and no others', async () => {
      const tab = await Tab.open(await linkFor('mine', { scopes: ['webhooks:read'] }), { token: null })
      await tab.isAt('Overview')
      expect(await tab.page.getByRole('navigation').getByRole('link').allTextContents()).toEqual([
        'Overview',
        'Subscriptions',
        'Event types',
      ])
      await tab.page.getByRole('link', { name: 'Subscriptions', exact: true }).click()
      await tab.page.getByRole('link', { name: 'Ledger of mine' }).click()
      await tab.isAt('Ledger of mine')
      expect(await tab.page.getByRole('button', { name: 'Pause' }).count()).toBe(0)
      await tab.page.goto(`${inject('relayUrl')}/portal/deliveries`)
      await tab.isAt('No such page')
    })

    test('is told in words that it was withdrawn, while they look at a page', async () => {
      const own = new Workspace()
      const tab = await Tab.open(await linkFor('mine', {}, own), { token: null, refused: /status of 401/ })
      await tab.isAt('Overview')
      await own.call('DELETE', '/portal-tokens')
      await tab.sees('This link has been ended; ask for a new one.')
    })

    test('is told in words that it has expired', async () => {
      const tab = await Tab.open(`${inject('relayUrl')}/portal`, { token: null, refused: /status of 401/ })
      const message = 'This link has expired; ask for a new one.'
      const details = [{ path: 'expiresAt', message: 'has passed' }]
      await tab.page.route('**/api/v1/session', (route) =>
        route.fulfill({
          status: 401,
          json: { success: false, error: { code: 'unauthorized', message, details } },
        }),
      )
      await tab.page.goto(await linkFor('mine'))
      await tab.sees(message)
    })

    test('is shown no logo of an origin that the operator has not named', async () => {
      const tab = await Tab.open(`${inject('relayUrl')}/portal`, { token: null, refused: /img-src/ })
      const asked = await answerLogos(tab.page)
      const theme = { name: 'Ledgerly', logo: 'https://elsewhere.example/logo.svg' }
      await tab.page.goto(await linkFor('mine', { theme }))
      await tab.isAt('Overview')
      await tab.page.getByRole('link', { name: 'Ledgerly' }).locator('img').waitFor({ state: 'detached' })
      expect(asked).toEqual([])
    })
  })

  describe('in a frame, the portal', () => {
    const framedAt = async (host: string, refused?: RegExp) => {
      const shown = encodeURIComponent(await linkFor('mine'))
      const url = `http://${host}:${inject('framingPort')}/?shown=${shown}`
      return await Tab.open(url, { token: null, ...(refused && { refused }) })
    }

    test('is shown by pages of an origin that the operator has named', async () => {
      const { page } = await framedAt('127.0.0.1')
      const frame = page.frameLocator('iframe')
      await frame.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    })

    test('is not shown by pages of any other', async () => {
      const { page } = await framedAt('localhost', /frame-ancestors/)
      expect(page.frames()).toHaveLength(2)
      expect(await page.frameLocator('iframe').getByRole('heading', { name: 'Overview' }).count()).toBe(0)
      expect(page.frames()[1]?.url()).toMatch(/^chrome-error:/)
    })
  })
}

/** Answers for the servers of logos, which the test has none of; gives the addresses that were asked for. */
async function answerLogos(page: Page): Promise<string[]> {
  const asked: string[] = []
  await page.route(/\.example\/logo\.svg$/, (route) => {
    asked.push(route.request().url())
    return route.fulfill({ contentType: 'image/svg+xml', body: PICTURE })
  })
  return asked
}

async function accentOf(page: Page): Promise<string> {
  return await page.evaluate<string>(
    'getComputedStyle(document.querySelector("#root > div"), "::before").backgroundColor',
  )
}
