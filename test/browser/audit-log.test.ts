import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

const ZEROS = '0'.repeat(64)

/** A workspace whose log has four rows, about a subscription of this id. */
async function logged(): Promise<{ workspace: Workspace; id: string }> {
  const workspace = new Workspace()
  const id = await workspace.subscribe('https://example.com/hooks', { name: 'Ledger' })
  await workspace.call('PATCH', `/webhooks/${id}`, { name: 'Big ledger', secret: 'another-secret-of-it' })
  await workspace.call('POST', `/webhooks/${id}/pause`)
  await workspace.call('PUT', `/workspaces/${workspace.id}`, { retentionDays: 30 })
  return { workspace, id }
}

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()

  describe('the audit log', () => {
    test('lists who did what, is filtered in the address, and shows of a row each field before and after', async () => {
      const { workspace, id } = await logged()
      const tab = await Tab.open(workspace.at('/audit-log'))
      const { page } = tab
      await page.getByRole('link', { name: 'Pause subscription' }).waitFor()
      await tab.isFineInAllForms('audit-log')
      await page.getByLabel('Action').fill('patchSubscription')
      await page.keyboard.press('Enter')
      await page.getByRole('link', { name: 'Pause subscription' }).waitFor({ state: 'detached' })
      expect(new URL(page.url()).search).toBe('?action=patchSubscription')
      await page.getByRole('link', { name: 'Patch subscription' }).click()
      await tab.isAt('Patch subscription')
      await page.getByRole('deletion').getByText('Ledger', { exact: true }).waitFor()
      await page.getByRole('insertion').getByText('Big ledger').waitFor()
      expect(await page.getByText('another-secret-of-it').count()).toBe(0)
      await tab.sees(`webhooks/${id}`)
      await tab.isFineInAllForms('audit-entry')
      await page.getByRole('link', { name: 'row 1' }).first().click()
      await tab.isAt('Create webhook')
      await page.getByRole('link', { name: 'All rows about the same' }).click()
      await tab.isAt('Audit log')
      await page.getByRole('link', { name: 'Pause subscription' }).waitFor()
      expect(await page.getByRole('link', { name: 'Update workspace' }).count()).toBe(0)
    })

    test('is verified, gives its head to be noted, and finds that a noted one is not its own', async () => {
      const { workspace } = await logged()
      const tab = await Tab.open(workspace.at('/audit-log'))
      const { page } = tab
      await page.getByRole('button', { name: 'Verify' }).click()
      await tab.sees('4 rows verified, from the newest down to row 1')
      const head = (await page.getByText(/^4\.[0-9a-f]{64}$/).textContent()) ?? ''
      await tab.isFineInAllForms('audit-verified')
      await page.getByLabel('Noted head').fill(head)
      await page.getByRole('button', { name: 'Verify' }).click()
      await tab.sees('Intact')
      await page.getByLabel('Noted head').fill(`3.${ZEROS}`)
      await page.getByRole('button', { name: 'Verify' }).click()
      await tab.sees('The noted head, row 3, is not in the log any more')
    })

    test('is saved as a file of all rows that match', async () => {
      const { workspace } = await logged()
      const tab = await Tab.open(workspace.at('/audit-log?action=updateWorkspace'))
      const { page } = tab
      await page.getByRole('link', { name: 'Update workspace' }).waitFor()
      const saved = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Export' }).click()
      const download = await saved
      expect(download.suggestedFilename()).toBe('audit-log.ndjson')
      const lines = (await text(await download.createReadStream())).trim().split('\n')
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { action: 'updateWorkspace', fields: { retentionDays: 30 } },
      ])
    })

    test('of the relay is shown to the operator, and says what an empty one means', async () => {
      const tab = await Tab.open(new Workspace().at('/audit-log'))
      await tab.sees('Nothing has been changed yet')
      await tab.page.getByLabel('Log', { exact: true }).selectOption('The whole relay')
      await tab.page.waitForURL(/log=relay/)
      await tab.isAt('Audit log')
    })
  })
}
