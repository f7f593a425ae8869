import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  describe('with deliveries that arrived, and some that failed for good', () => {
    const workspace = new Workspace()
    let failing: string

    beforeAll(async () => {
      receiver.script('/broken', 503)
      await workspace.subscribe(receiver.url('/healthy'), { name: 'Warehouse' })
      const once = { name: 'Ledger', retryPolicy: { maxRetries: 0 }, events: ['invoice.*'] }
      failing = await workspace.subscribe(receiver.url('/broken'), once)
      await workspace.publishMany('order.created', 5)
      await workspace.publishMany('invoice.paid', 3)
      await workspace.waitForStatus('failed', 3)
      await workspace.waitForStatus('success', 8)
    })

    test('the overview has figures and plots of the period in its address', async () => {
      const tab = await Tab.open(workspace.at('/'))
      await tab.sees('72.72 %')
      await tab.page.getByText('7 days', { exact: true }).click()
      await tab.page.waitForURL(/period=7d/)
      await tab.page
        .getByText('In the last 7 days: 8 delivered and 3 failed for good.')
        .waitFor({ state: 'attached' })
      await plotsAreDrawn(tab.page)
      await tab.sees('order.created')
      await tab.isFineInAllForms('overview-figures')
      await tab.page.getByText('Hour', { exact: true }).click()
      await tab.page.waitForURL(/period=1h/)
      await tab.page.locator('canvas').first().waitFor({ state: 'detached' })
    })

    test('the overview names the failing receiver with its next step, which leads to its failures', async () => {
      const tab = await Tab.open(workspace.at('/'))
      await tab.sees(/^Fails for .*: 3 attempts without a success/)
      await tab.sees('See its last failures, and tell the owner of the receiver.')
      await tab.page.getByRole('main').getByRole('link', { name: 'Ledger' }).first().click()
      await tab.isAt('Ledger')
      expect(tab.page.url()).toContain(`/subscriptions/${failing}?status=failed`)
      await tab.sees(/answered 503/)
    })

    test('each health of subscriptions leads to the list of those', async () => {
      const tab = await Tab.open(workspace.at('/'))
      await tab.page.getByRole('link', { name: /^Failing/ }).click()
      await tab.page.waitForURL(/\/subscriptions\?health=failing/)
      await tab.sees('Ledger')
      await tab.page.getByText('Warehouse').waitFor({ state: 'detached' })
      await tab.isFineInAllForms('subscriptions-filtered')
      await tab.page.getByLabel('Search').fill('nothing like it')
      await tab.page.keyboard.press('Enter')
      await tab.sees('No subscription matches')
    })

    test('a subscription’s page has plots of its week', async () => {
      const tab = await Tab.open(workspace.at(`/subscriptions/${failing}`))
      await tab.page.getByText('0 delivered and 3 failed for good.').waitFor({ state: 'attached' })
      await plotsAreDrawn(tab.page)
      await tab.isFineInAllForms('subscription-plots')
    })

    test('an attempt shows what was sent and what came back', async () => {
      const tab = await Tab.open(workspace.at('/events?event=invoice.paid'))
      await tab.page.getByRole('link', { name: 'invoice.paid' }).first().click()
      await tab.page.getByText('Request and answer').last().click()
      await tab.sees('What was sent')
      await tab.sees(/until it was sent/)
      await tab.isFineInAllForms('event-attempt')
    })
  })
}

/** Waits until both plots have something in them: a canvas without data is of one colour. */
async function plotsAreDrawn(page: Page): Promise<void> {
  await expect
    .poll(
      () =>
        page.evaluate<number>(`[...document.querySelectorAll('canvas')].filter((canvas) => {
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
          for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200 && Math.abs(data[at] - data[at + 2]) > 60) return true
          return false
        }).length`),
      { timeout: 20_000 },
    )
    .toBe(2)
}
