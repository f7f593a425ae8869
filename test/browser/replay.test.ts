import { beforeAll, describe, expect, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { focused, tabTo } from './support/keyboard.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

const POLL = { timeout: 20_000 }
/** Fails for good at once, so that it can be replayed. */
const ONCE = { retryPolicy: { maxRetries: 0 } }

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  describe('failed deliveries of a receiver that is mended', () => {
    const workspace = new Workspace()
    let id: string

    beforeAll(async () => {
      receiver.script('/mended', 503, 200)
      id = await workspace.subscribe(receiver.url('/mended'), { name: 'Ledger', ...ONCE })
      for (const n of [1, 2, 3]) await workspace.publish('invoice.paid', { object: { id: `inv_${n}` } })
      await workspace.waitForStatus('failed', 3)
    })

    test('are counted before they are replayed from the page of their subscription, and followed to the end', async () => {
      const tab = await Tab.open(workspace.at(`/subscriptions/${id}`))
      const { page } = tab
      await page.getByRole('button', { name: 'Replay', exact: true }).click()
      await tab.sees('3 deliveries would be sent again.')
      await tab.isFineInAllForms('replay-dialog')
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Event types').fill('order.*')
      await tab.sees('0 deliveries match: there is nothing to send again.')
      await dialog.getByLabel('Event types').fill('invoice.*')
      await dialog.getByRole('button', { name: 'Replay 3' }).click()
      await tab.isAt('Replay')
      await tab.sees('3 deliveries sent again.')
      await tab.isFineInAllForms('replay')
      expect(await receiver.waitForDelivered('/mended', 3, 20_000)).toBe(true)
      await page.getByRole('link', { name: 'Replays' }).first().click()
      await tab.isAt('Replays')
      await page.getByRole('link', { name: 'Deliveries that failed for good of invoice.*' }).click()
      await tab.sees('Completed')
    })

    test('that have arrived are sent once more only after it was said that they had', async () => {
      const tab = await Tab.open(workspace.at(`/deliveries?webhook=${id}&status=success`))
      const { page } = tab
      const before = receiver.requests('/mended').length
      await page.getByLabel('Select all on this page').check()
      await tab.sees('3 deliveries selected')
      await page.getByRole('button', { name: 'Send again' }).click()
      await tab.sees('3 deliveries had arrived')
      await page.getByRole('button', { name: 'Send 3 again' }).click()
      await tab.sees('3 of 3 sent again.')
      await tab.isFineInAllForms('send-again')
      await page.getByRole('button', { name: 'Close' }).click()
      await page.getByText('deliveries selected').waitFor({ state: 'detached' })
      await expect.poll(() => receiver.requests('/mended').length, POLL).toBe(before + 3)
    })
  })

  test('a replay that is slow is left, found again by its address, and cancelled', async () => {
    const workspace = new Workspace()
    const id = await workspace.subscribe(receiver.url('/slow'))
    await workspace.publishMany('invoice.paid', 20)
    await workspace.waitForStatus('success', 20)
    const tab = await Tab.open(workspace.at(`/subscriptions/${id}`))
    const { page } = tab
    await page.getByRole('button', { name: 'Replay', exact: true }).click()
    await page.getByRole('dialog').getByLabel('Delivered', { exact: true }).check()
    await page.getByLabel('At most, per second').fill('1')
    await page.getByRole('button', { name: 'Replay 20' }).click()
    await tab.sees(/\d+ of about 20/)
    await tab.isFineInAllForms('replay-running')
    const address = page.url()
    await page.goto(workspace.at('/events'))
    await tab.isAt('Events')
    await page.goto(address)
    await page.getByRole('button', { name: 'Cancel the replay' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the replay' }).click()
    await tab.sees('Cancelled')
    expect(await page.getByRole('button', { name: 'Cancel the replay' }).count()).toBe(0)
  })

  test('the content of an event is erased once it has been said what goes and what stays', async () => {
    const workspace = new Workspace()
    await workspace.subscribe(receiver.url('/erased'))
    const id = await workspace.publish('invoice.paid', { object: { id: 'inv_of_a_customer' } })
    await workspace.waitForStatus('success', 1)
    const tab = await Tab.open(workspace.at(`/events/${id}`))
    const { page } = tab
    await tab.sees(/inv_of_a_customer/)
    await page.getByRole('button', { name: 'Erase' }).click()
    await tab.sees(/Its type, times and statuses stay/)
    await page.getByRole('dialog').getByRole('button', { name: 'Erase the content' }).click()
    await tab.sees('Its content was erased.')
    await tab.isFineInAllForms('event-erased')
    expect(await page.getByRole('button', { name: 'Erase' }).count()).toBe(0)
    expect(await workspace.call('GET', `/events/${id}`)).toMatchObject({ payload: null })
  })

  test('what filters let pass is replayed with the filters', async () => {
    const workspace = new Workspace()
    receiver.script('/filtered', 500)
    await workspace.subscribe(receiver.url('/filtered'), { name: 'Ledger', ...ONCE })
    await workspace.publish('invoice.paid')
    await workspace.publish('order.created')
    await workspace.waitForStatus('failed', 2)
    const tab = await Tab.open(workspace.at('/deliveries?status=failed&event=order.*'))
    await tab.page.getByRole('button', { name: 'Replay all that match to Ledger' }).click()
    await tab.sees('1 delivery would be sent again.')
    expect(await tab.page.getByRole('dialog').getByLabel('Event types').inputValue()).toBe('order.*')
  })

  test('by keyboard alone, deliveries are chosen and tried again, and the focus stays where one is', async () => {
    const workspace = new Workspace()
    receiver.script('/by-keyboard', 503, 200)
    await workspace.subscribe(receiver.url('/by-keyboard'), ONCE)
    await workspace.publish('invoice.paid')
    await workspace.waitForStatus('failed', 1)
    const tab = await Tab.open(workspace.at('/deliveries'))
    const { page } = tab
    await tab.sees('invoice.paid')
    await tabTo(page, /^Select invoice\.paid/)
    await page.keyboard.press('Space')
    await tabTo(page, 'Send again')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(() => focused(page), POLL).toBe('Send again')
    await page.keyboard.press('Enter')
    await tabTo(page, 'Send 1 again')
    await page.keyboard.press('Enter')
    await tab.sees('1 of 1 sent again.')
    await tabTo(page, 'Close')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await tab.sees(/Delivered/)
    // The next Tab goes on behind the list, not at the top of the page.
    expect(await page.evaluate('document.getElementById("main").contains(document.activeElement)')).toBe(true)
    expect(await receiver.waitForDelivered('/by-keyboard', 1, 20_000)).toBe(true)
  })

  test('by keyboard alone, one failed delivery is tried again from its event', async () => {
    const workspace = new Workspace()
    receiver.script('/one', 503, 200)
    await workspace.subscribe(receiver.url('/one'), ONCE)
    const event = await workspace.publish('invoice.paid')
    await workspace.waitForStatus('failed', 1)
    const tab = await Tab.open(workspace.at(`/events/${event}`))
    await tab.sees('The receiver answered 503.')
    await tabTo(tab.page, 'Retry now')
    await tab.page.keyboard.press('Enter')
    await tab.sees('The receiver answered 200.')
  })
}
