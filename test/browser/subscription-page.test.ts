import { describe, expect, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  describe('the page of a subscription', () => {
    test('shows the secret on demand, and rotates it with an overlap', async () => {
      const workspace = new Workspace()
      const id = await workspace.subscribe(receiver.url('/rotated'), { name: 'Ledger' })
      const tab = await Tab.open(workspace.at(`/subscriptions/${id}`))
      const { page } = tab
      await tab.isAt('Ledger')
      expect(await page.getByText('a-secret-of-the-test').count()).toBe(0)
      await page.getByRole('button', { name: 'Show the secret' }).click()
      await tab.sees('a-secret-of-the-test')
      await page.getByLabel('The old secret stays valid for').selectOption('7 days')
      await page.getByRole('button', { name: 'Rotate' }).click()
      await tab.sees(/For 7 days each request is signed with both/)
      await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
      await tab.sees(/The secret before this one is valid too/)
      const { secret } = await workspace.call<{ secret: string }>('GET', `/webhooks/${id}/secret`)
      await tab.sees(secret)
      await page.getByRole('dialog', { name: 'Rotate the secret?' }).waitFor({ state: 'detached' })
      await tab.isFineInAllForms('subscription-secret')
    })

    test('says step by step if the receiver can be reached, and what came of a test event', async () => {
      receiver.script('/broken', 500)
      const workspace = new Workspace()
      const id = await workspace.subscribe(receiver.url('/broken'))
      const tab = await Tab.open(workspace.at(`/subscriptions/${id}`))
      await tab.page.getByRole('button', { name: 'Check' }).click()
      await tab.sees('Not reached')
      await tab.sees(/^The host takes connections\./)
      await tab.sees(/^The receiver answers with a success\. .*500/)
      await tab.isFineInAllForms('subscription-checked')
      await tab.page.getByRole('button', { name: 'Send a test event' }).click()
      await tab.sees('Not delivered')
      await tab.page.getByRole('link', { name: 'What was sent and what came back' }).click()
      await tab.sees('The receiver answered 500.')
    })

    test('sends what waits for its batch when one asks for it', async () => {
      const workspace = new Workspace()
      const batchSettings = { enabled: true, maxEvents: 50, maxWaitTime: 300 }
      const id = await workspace.subscribe(receiver.url('/batched'), { name: 'Warehouse', batchSettings })
      await workspace.publishMany('invoice.paid', 3)
      const tab = await Tab.open(workspace.at(`/subscriptions/${id}`))
      await tab.page.getByRole('button', { name: 'Send the batch now' }).click()
      await tab.sees('What waited for its batch is being sent')
      await workspace.waitForStatus('success', 3)
      await tab.isFineInAllForms('subscription-batched')
    })

    test('deletes it once it has said what that does', async () => {
      const workspace = new Workspace()
      const id = await workspace.subscribe(receiver.url('/deleted'), { name: 'Old shop' })
      const tab = await Tab.open(workspace.at(`/subscriptions/${id}`))
      await tab.page.getByRole('button', { name: 'Delete' }).click()
      await tab.sees(/what waits is not delivered, and its secret is wiped/)
      await tab.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
      await tab.isAt('Subscriptions')
      await tab.sees('No subscriptions yet')
      expect(await workspace.call('GET', '/webhooks')).toEqual([])
    })
  })
}
