import { describe, expect, inject, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import type { Receiver } from '../support/receivers/receiver.ts'
import { CHROMIUM } from './support/chromium.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

const LARGE = { object: { id: 'inv_large', total: 2500 } }
const SMALL = { object: { id: 'inv_small', total: 5 } }
/** Failures in a row from which a receiver is left alone for a while. */
const BREAKER_FAULTS = 10
const CUSTOMER = {
  webhooks: { metadata: { customerId: 'mine' } },
  subject: 'jane@example.com',
  scopes: [
    ...['webhooks:read', 'webhooks:write', 'webhooks:secret'],
    ...['deliveries:read', 'deliveries:retry', 'events:read'],
  ],
}

/** One who uses the pages, in a workspace whose events come from elsewhere. */
type Scene = {
  tab: Tab
  workspace: Workspace
  receiver: Receiver
  path: string
  addressOf: (page: string) => string
}

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  /** Another subscription of the same customer, which takes everything. */
  const workspaceWithArchive = async (path: string): Promise<Workspace> => {
    const workspace = new Workspace()
    const { metadata } = CUSTOMER.webhooks
    await workspace.subscribe(receiver.url(`${path}-archive`), { name: 'Archive', metadata })
    return workspace
  }

  describe('from the first sign-in to a replay and a new secret, all of it in the pages', () => {
    test('as an operator', async () => {
      const workspace = await workspaceWithArchive('/of-operator')
      const tab = await Tab.open(workspace.at('/subscriptions'), { token: null })
      await tab.page.getByLabel('Key or identity token').fill(inject('adminKey'))
      await tab.page.keyboard.press('Enter')
      const addressOf = (page: string) => workspace.at(page)
      await play({ tab, workspace, receiver, path: '/of-operator', addressOf })
    })

    test('as a customer by a link, who sees nothing of another', async () => {
      const workspace = await workspaceWithArchive('/of-customer')
      await workspace.subscribe(receiver.url('/of-another'), { name: 'Ledger of another' })
      const { url } = await workspace.call<{ url: string }>('POST', '/portal-tokens', CUSTOMER)
      const tab = await Tab.open(url, { token: null })
      await tab.page.getByRole('link', { name: 'Subscriptions', exact: true }).click()
      await tab.sees('Archive')
      const addressOf = (page: string) => `${inject('relayUrl')}/portal${page}`
      await play({ tab, workspace, receiver, path: '/of-customer', addressOf })
      for (const page of ['/', '/subscriptions', '/deliveries', '/events']) {
        await tab.page.goto(addressOf(page))
        await tab.page
          .getByRole('main')
          .getByText(/Ledger|invoice\.paid/)
          .first()
          .waitFor()
        expect(await tab.page.getByText('Ledger of another').count()).toBe(0)
      }
    })
  })
}

async function play(scene: Scene): Promise<void> {
  const address = await subscribe(scene)
  await watchFirstDelivery(scene)
  await watchFailure(scene)
  await mendAndReplay(scene, address)
  await rotateSecret(scene)
  await findOut(scene)
}

/** Creates a subscription with a rule and a template, and sees beforehand what they do. Answers its address. */
async function subscribe({ tab, workspace, receiver, path }: Scene): Promise<string> {
  const { page } = tab
  await workspace.publish('invoice.paid', LARGE)
  await page.getByRole('link', { name: 'New subscription' }).click()
  await page.getByLabel('URL').fill(receiver.url(path))
  await page.getByLabel('Name').fill('Ledger')
  await page.getByLabel('Events', { exact: true }).fill('invoice.*')
  await page.getByLabel('Filters').fill('data.object.total >= 1000')
  await page.getByLabel('Template').fill('{"sum": "{{data.object.total}} EUR"}')
  await page.getByLabel('Retry policy').fill('{"maxRetries": 1, "retryDelay": 1}')
  await tab.sees('Sample event')
  const sample = page.getByLabel('Sample event')
  if ((await sample.locator('option').count()) > 1) await sample.selectOption({ index: 1 })
  await tab.sees('Matches')
  await tab.sees('2500 EUR')
  await page.getByRole('button', { name: 'Create' }).click()
  await tab.isAt('Subscription created')
  await page.getByRole('link', { name: 'Go to the subscription' }).click()
  await tab.isAt('Ledger')
  return page.url()
}

async function watchFirstDelivery({ tab, workspace, receiver, path }: Scene): Promise<void> {
  await workspace.publish('invoice.paid', LARGE)
  await workspace.publish('invoice.paid', SMALL)
  await tab.page.getByRole('link', { name: 'invoice.paid' }).waitFor()
  await tab.sees('Healthy')
  expect(receiver.requests(path).map(({ body }) => String(body))).toEqual(['{"sum":"2500 EUR"}'])
}

/** Breaks the receiver, and watches retries, failures for good, and the receiver being left alone. */
async function watchFailure({ tab, workspace, receiver, path }: Scene): Promise<void> {
  receiver.script(path, 503)
  await workspace.publish('invoice.paid', LARGE)
  await tab.sees('Failing')
  await tab.page.getByRole('table').getByText('Failed', { exact: true }).first().waitFor()
  for (let n = 0; n < BREAKER_FAULTS; n++) await workspace.publish('invoice.paid', LARGE)
  await tab.sees(/^Held until .*: the receiver failed \d+ times in a row\. Nothing is lost\.$/)
}

/** Mends it, tries one delivery at once, which shows that it is back, and replays what had failed for good. */
async function mendAndReplay({ tab, receiver, path }: Scene, address: string): Promise<void> {
  const { page } = tab
  receiver.script(path, 200)
  await page.getByText('Failed', { exact: true }).first().click()
  await page.waitForURL(/status=failed/)
  await page.getByRole('table').getByText('Delivered', { exact: true }).waitFor({ state: 'detached' })
  await page
    .getByRole('checkbox', { name: /^Select invoice\.paid/ })
    .last()
    .check()
  await page.getByRole('button', { name: 'Send again' }).click()
  await page.getByRole('button', { name: 'Send 1 again' }).click()
  await tab.sees('1 of 1 sent again.')
  await page.getByRole('button', { name: 'Close' }).click()
  await tab.sees('Healthy')
  await page.goto(address)
  await page.getByRole('button', { name: 'Replay', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Delivered', { exact: true }).check()
  await tab.sees(/^\d+ deliveries would be sent again\.$/)
  await dialog.getByRole('button', { name: /^Replay \d+$/ }).click()
  await tab.isAt('Replay')
  await tab.sees('Completed')
  await page.goto(address)
  await tab.sees('Healthy')
}

async function rotateSecret({ tab }: Scene): Promise<void> {
  const { page } = tab
  await page.getByRole('button', { name: 'Show the secret' }).click()
  const shown = page.getByText(/^whsec_/)
  const before = await shown.textContent()
  await page.getByRole('button', { name: 'Rotate' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
  await tab.sees(/The secret before this one is valid too/)
  await expect.poll(() => shown.textContent(), { timeout: 20_000 }).not.toBe(before)
}

/** Finds an event by a value in its payload, and why the subscription did not get it. */
async function findOut({ tab, addressOf }: Scene): Promise<void> {
  const { page } = tab
  await page.goto(addressOf('/events'))
  await page.getByLabel('Field').fill('data.object.id')
  await page.getByLabel('Value').fill('inv_small')
  await page.keyboard.press('Enter')
  await page.waitForURL(/equals=inv_small/)
  const found = page.getByRole('link', { name: 'invoice.paid' })
  await expect.poll(() => found.count(), { timeout: 20_000 }).toBe(1)
  await found.click()
  await tab.sees('Archive')
  await page.getByText(/did not get it, and why$/).click()
  await tab.sees(/data\.object\.total >= 1000/)
}
