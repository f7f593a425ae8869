import { expect, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  test("the operator sees queues, the work by the clock and the database, and which workspace's receiver is in trouble", async () => {
    const troubled = new Workspace()
    receiver.script('/gone', { status: 410 })
    const id = await troubled.subscribe(receiver.url('/gone'))
    await troubled.publish('invoice.paid')
    const subscription = () => troubled.call<{ active: boolean }>('GET', `/webhooks/${id}`)
    await expect.poll(async () => (await subscription()).active, { timeout: 20_000 }).toBe(false)
    const tab = await Tab.open(new Workspace().at('/operations'))
    const { page } = tab
    await tab.isAt('Operations')
    await page.getByRole('cell', { name: 'unproven-deliveries' }).waitFor()
    await page.getByRole('heading', { name: /^Sweep/ }).waitFor()
    const link = page.getByRole('link', { name: id })
    await link.waitFor()
    await tab.isFineInAllForms('operations')
    await link.click()
    await page.waitForURL(new RegExp(`/w/${troubled.id}/subscriptions/${id}$`))
    await tab.sees('Gone')
  })

  test('a key of a workspace does not see the page, nor the one of workspaces', async () => {
    const workspace = new Workspace()
    const { key: token } = await workspace.call<{ key: string }>('POST', '/keys', {
      ...{ name: 'admin', role: 'integration-administrator' },
    })
    const tab = await Tab.open(new URL('/operations', workspace.at('/')).href, { token })
    await tab.isAt('No such page')
    expect(await tab.page.getByRole('link', { name: 'Workspaces' }).count()).toBe(0)
  })
}
