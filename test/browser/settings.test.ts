import { describe, expect, inject, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

type Settings = Record<string, unknown>
const settingsOf = (workspace: Workspace) => workspace.call<Settings>('GET', `/workspaces/${workspace.id}`)

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()

  describe('the page of settings', () => {
    test('changes what was changed and leaves the rest', async () => {
      const workspace = new Workspace()
      await workspace.call('PUT', `/workspaces/${workspace.id}`, {
        deniedHosts: ['a.example.com'],
        archive: true,
      })
      const tab = await Tab.open(workspace.at('/settings'))
      const { page } = tab
      await page.getByLabel('Days').fill('30')
      await page.getByLabel('Megabytes').fill('1.5')
      await page.getByLabel('An event that is not as').selectOption('Refuse it')
      await page.getByLabel('Allowed hosts').fill('*.example.com\nhooks.example.org')
      await page.getByLabel('Ports').fill('8443, 9443')
      await page.getByLabel('Events per day').fill('1000')
      await tab.isFineInAllForms('settings')
      await page.getByRole('button', { name: 'Save' }).click()
      await tab.sees('It counts from the next event on.')
      expect(await settingsOf(workspace)).toMatchObject({
        ...{ retentionDays: 30, retentionBytes: 1_500_000, eventTypeEnforcement: 'reject', archive: true },
        ...{ allowedHosts: ['*.example.com', 'hooks.example.org'], deniedHosts: ['a.example.com'] },
        allowedPorts: [8443, 9443],
        limits: { eventsPerDay: 1_000, subscriptions: null },
      })
      await page.getByLabel('Allowed hosts').fill('')
      await page.getByLabel('Events per day').fill('')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByRole('button', { name: 'Save' }).and(page.locator(':disabled')).waitFor()
      expect(await settingsOf(workspace)).toMatchObject({
        allowedHosts: null,
        limits: { eventsPerDay: null },
      })
    })

    test('says at each field what the relay refuses, and what the operator alone may do', async () => {
      const workspace = new Workspace()
      await workspace.call('PUT', `/workspaces/${workspace.id}`, { allowedHosts: ['a.example.com'] })
      const { key: token } = await workspace.call<{ key: string }>('POST', '/keys', {
        ...{ name: 'admin', role: 'integration-administrator' },
      })
      const tab = await Tab.open(`${inject('relayUrl')}/settings`, { token, refused: /status of 40[03]/ })
      const { page } = tab
      await page.getByLabel('Days').fill('no number')
      await page.getByRole('button', { name: 'Save' }).click()
      await tab.sees('must be a whole number of days')
      await page.getByRole('button', { name: 'Undo changes' }).click()
      await page.getByLabel('Allowed hosts').fill('*.example.com')
      await page.getByRole('button', { name: 'Save' }).click()
      await tab.sees('only the operator may let deliveries go to more places')
      expect(await page.getByLabel('Events per day').isDisabled()).toBe(true)
      await tab.isFineInAllForms('settings-refused')
      expect(await settingsOf(workspace)).toMatchObject({
        retentionDays: 90,
        allowedHosts: ['a.example.com'],
      })
    })
  })

  test('the page of workspaces makes one, says what is wrong with a name, and deletes when that was confirmed', async () => {
    const workspace = new Workspace()
    const made = new Workspace()
    const tab = await Tab.open(workspace.at('/workspaces'), { refused: /status of (400|409)/ })
    const { page } = tab
    await page.getByLabel('Name', { exact: true }).fill('no name')
    await page.getByRole('button', { name: 'Make the workspace' }).click()
    await tab.sees('must be 1-128 characters')
    await page.getByLabel('Name', { exact: true }).fill(made.id)
    await page.getByRole('button', { name: 'Make the workspace' }).click()
    await page
      .getByRole('button', { name: `Open ${made.id}` })
      .first()
      .waitFor()
    await tab.isFineInAllForms('workspaces')
    await made.publish('invoice.paid')
    await page.getByRole('button', { name: `Delete ${made.id}` }).click()
    await tab.isFineInAllForms('workspaces-delete')
    await page
      .getByRole('dialog')
      .getByRole('button', { name: `Delete ${made.id}` })
      .click()
    await tab.sees('It is being erased')
    await page.getByRole('button', { name: `Delete ${made.id}` }).waitFor({ state: 'detached' })
  })
}
