import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

/** As browsers do to a frame of another site. */
const REFUSE_STORAGE = `for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, { get: () => { throw new DOMException('Denied', 'SecurityError') } })`

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  describe('the sign-in', () => {
    test('takes a key, shows the page that was asked for, and keeps the key out of addresses', async () => {
      const tab = await Tab.open(`${inject('relayUrl')}/events?event=a.*`, { token: null })
      await tab.isFineInAllForms('sign-in')
      await tab.page.getByLabel('Key or identity token').fill(inject('adminKey'))
      await tab.page.keyboard.press('Enter')
      await tab.isAt('Events')
      expect(tab.page.url()).toBe(`${inject('relayUrl')}/events?event=a.*`)
      await tab.page.getByRole('button', { name: 'Sign out' }).click()
      await tab.isAt('Sign in to Posthorn')
    })

    test('says why a key was not taken', async () => {
      const tab = await Tab.open(inject('relayUrl'), { token: null, refused: /status of 401/ })
      await tab.page.getByLabel('Key or identity token').fill('no_such_key')
      await tab.page.getByRole('button', { name: 'Sign in' }).click()
      await tab.sees('This key is not valid.')
    })

    test('is shown where the browser refuses storage', async () => {
      const { page } = await Tab.open('about:blank', { token: null })
      await page.addInitScript(REFUSE_STORAGE)
      await page.goto(inject('relayUrl'))
      await page.getByRole('heading', { level: 1, name: 'Sign in to Posthorn' }).waitFor()
    })

    test('takes the token of a link out of the address at once, and says when it is none', async () => {
      const tab = await Tab.open(`${inject('relayUrl')}/portal#php_no_such_token`, {
        token: null,
        refused: /status of 401/,
      })
      await tab.sees('This link is not valid.')
      expect(tab.page.url()).toBe(`${inject('relayUrl')}/portal`)
    })
  })

  test('a delivery appears on a page that is open, without loading it again', async () => {
    const workspace = new Workspace()
    const id = await workspace.subscribe(receiver.url('/appears'), { name: 'Ledger' })
    const tab = await Tab.open(workspace.at(`/subscriptions/${id}`))
    await tab.isAt('Ledger')
    await tab.sees('Nothing was sent here yet')
    await workspace.publish('invoice.paid')
    await tab.page.getByRole('link', { name: 'invoice.paid' }).click()
    await tab.isAt('invoice.paid')
    await tab.sees(/Delivered at the first attempt: the receiver answered 200 in/)
  })

  test('by keyboard alone, one skips to the content and gets from page to page', async () => {
    const { page } = await Tab.open(`${inject('relayUrl')}/`)
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.getByRole('link', { name: 'Events', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor()
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
  })

  test('the overview finds what needs a person behind any number of healthy subscriptions', async () => {
    const workspace = new Workspace()
    const paused = await workspace.subscribe(receiver.url('/paused'), { name: 'Ledger' })
    await workspace.call('POST', `/webhooks/${paused}/pause`)
    for (let made = 0; made < 300; made += 20)
      await Promise.all(Array.from({ length: 20 }, () => workspace.subscribe(receiver.url('/healthy'))))
    const tab = await Tab.open(workspace.at('/'))
    await tab.sees(/^Paused .*: events are kept/)
  })

  describe('with a healthy receiver, one that fails and one that is off', () => {
    const workspace = new Workspace()
    let failing: string
    let event: string

    beforeAll(async () => {
      receiver.script('/broken', 503)
      await workspace.subscribe(receiver.url('/healthy'), { name: 'Warehouse' })
      failing = await workspace.subscribe(receiver.url('/broken'), { name: 'Ledger', events: ['invoice.*'] })
      const off = await workspace.subscribe(receiver.url('/off'), { name: 'Old shop' })
      await workspace.call('POST', `/webhooks/${off}/disable`)
      await workspace.publish('order.created', { object: { id: 'order_1', total: 12.5 } })
      event = await workspace.publish('invoice.paid', {
        object: { id: 'inv_1', total: 2567.5, lines: [1, 2] },
      })
    })

    test('the overview says what needs a person, and why', async () => {
      const tab = await Tab.open(workspace.at('/'))
      await tab.isAt('Overview')
      await tab.sees(/Failing for .* of its failure budget is spent/)
      await tab.isFineInAllForms('overview')
    })

    test('the list of subscriptions leads to one, which says how its receiver is', async () => {
      const tab = await Tab.open(workspace.at('/subscriptions'))
      await tab.sees('Warehouse')
      await tab.isFineInAllForms('subscriptions')
      await tab.page.getByRole('link', { name: 'Ledger' }).click()
      await tab.isAt('Ledger')
      await tab.sees('Retrying')
      expect(tab.page.url()).toContain(failing)
      await tab.isFineInAllForms('subscription')
    })

    test('an event shows its payload, every attempt, and who did not get it', async () => {
      const tab = await Tab.open(workspace.at('/events'))
      await tab.page.getByRole('link', { name: 'invoice.paid' }).click()
      await tab.sees('The receiver answered 503.')
      await tab.sees(/Attempt \d+ failed: .* The next follows in/)
      await tab.sees('The receiver has a fault: look at its own log at this time, then retry.')
      expect(tab.page.url()).toContain(event)
      await tab.sees('2567.5')
      await tab.isFineInAllForms('event')
    })

    test('an event keeps what it shows when it cannot be read anew, and says so', async () => {
      const tab = await Tab.open(workspace.at(`/events/${event}`), { refused: /status of 403/ })
      await tab.sees('The receiver answered 503.')
      const error = { code: 'forbidden', message: 'Not any more.' }
      await tab.page.route('**/deliveries?*matched=true*', (route) =>
        route.fulfill({ status: 403, json: { success: false, error } }),
      )
      await tab.sees('Not any more.')
      await tab.sees('The receiver answered 503.')
    })

    test('the list of deliveries says what happened to each, and is filtered in the address', async () => {
      const tab = await Tab.open(workspace.at('/deliveries'))
      await tab.sees(/Delivered at the first attempt: the receiver answered 200 in/)
      await tab.sees('Retrying')
      await tab.isFineInAllForms('deliveries')
      await tab.page.getByText('Delivered', { exact: true }).first().click()
      await tab.page.waitForURL(/status=success/)
      await tab.page.getByText('Retrying').waitFor({ state: 'detached' })
    })

    test('the list of events is searched by type, in the address', async () => {
      const tab = await Tab.open(workspace.at('/events'))
      await tab.sees('order.created')
      await tab.isFineInAllForms('events')
      await tab.page.setViewportSize({ width: 1280, height: 800 })
      await tab.page.getByLabel('Type').fill('invoice.*')
      await tab.page.keyboard.press('Enter')
      await tab.page.waitForURL(/event=invoice/)
      await tab.page.getByText('order.created').waitFor({ state: 'detached' })
    })
  })
}

async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>('document.activeElement.textContent')
}
