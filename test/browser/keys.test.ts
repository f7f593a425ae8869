import { describe, expect, inject, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

const KEY = /^phk_/
const LINK = /\/portal#php_/

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()

  describe('the page of keys', () => {
    test('makes a key with a role, shows it once, rotates it and revokes it when that was confirmed', async () => {
      const workspace = new Workspace()
      const tab = await Tab.open(workspace.at('/keys'))
      await tab.sees('No keys yet')
      await tab.page.getByLabel('Name', { exact: true }).fill('billing')
      await tab.page.getByLabel('It expires').selectOption('In 90 days')
      await tab.page.getByRole('button', { name: 'Make the key' }).click()
      const first = await textOf(tab, KEY)
      expect(await sessionOf(first)).toMatchObject({ scopes: ['events:publish'], workspaceId: workspace.id })
      await tab.isFineInAllForms('keys')
      await tab.page.getByRole('button', { name: 'Rotate billing' }).click()
      await tab.page.getByRole('dialog').getByRole('button', { name: 'Rotate', exact: true }).click()
      await tab.page.getByText(first).waitFor({ state: 'detached' })
      const second = await textOf(tab, KEY)
      expect(await sessionOf(second)).toMatchObject({ key: { name: 'billing' } })
      await tab.page.reload()
      await tab.sees('billing')
      expect(await tab.page.getByText(KEY).count()).toBe(0)
      await tab.page.getByRole('button', { name: 'Revoke billing' }).click()
      await tab.isFineInAllForms('keys-revoke')
      await tab.page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
      await tab.sees('No keys yet')
      expect(await sessionOf(second)).toBeNull()
    })

    test('says that a key is to be copied by hand where the browser has no clipboard', async () => {
      const tab = await Tab.open(new Workspace().at('/keys'))
      await tab.page.evaluate(`Object.defineProperty(navigator, 'clipboard', { value: undefined })`)
      await tab.page.getByLabel('Name', { exact: true }).fill('billing')
      await tab.page.getByRole('button', { name: 'Make the key' }).click()
      await tab.page.getByRole('button', { name: 'Copy the key' }).click()
      await tab.sees('Not copied: select the text and copy it by hand.')
      await tab.isFineInAllForms('keys-not-copied')
    })

    test('makes a key with single scopes, and says what the relay refuses', async () => {
      const workspace = new Workspace()
      const tab = await Tab.open(workspace.at('/keys'), { refused: /status of 400/ })
      await tab.page.getByLabel('It may act as').selectOption('Scopes, one by one')
      await tab.page.getByLabel('events:read').check()
      await tab.page.getByLabel('deliveries:read').check()
      await tab.page.getByRole('button', { name: 'Make the key' }).click()
      await tab.sees('must be 1-100 characters')
      await tab.page.getByLabel('Name', { exact: true }).fill('reports')
      await tab.page.getByRole('button', { name: 'Make the key' }).click()
      expect(await sessionOf(await textOf(tab, KEY))).toMatchObject({
        scopes: ['events:read', 'deliveries:read'],
      })
    })
  })

  test('the page of portal links makes a link that opens the portal of one customer, and ends all links', async () => {
    const workspace = new Workspace()
    const tab = await Tab.open(workspace.at('/portal-links'))
    await tab.page.getByRole('button', { name: 'Make the link' }).click()
    await tab.sees('Name the customer')
    await tab.page.getByLabel('Metadata').fill('customerId=42')
    await tab.page.getByLabel('Customer').fill('jane@example.com')
    await tab.page.getByLabel('webhooks:write').uncheck()
    await tab.page.getByRole('button', { name: 'Make the link' }).click()
    const link = await textOf(tab, LINK)
    await tab.isFineInAllForms('portal-links')
    const token = new URL(link).hash.slice(1)
    expect(await sessionOf(token)).toMatchObject({
      webhooks: { metadata: { customerId: '42' } },
      portal: { subject: 'jane@example.com' },
      scopes: ['webhooks:read', 'deliveries:read', 'deliveries:retry'],
    })
    await tab.page.getByRole('button', { name: 'End all links' }).click()
    await tab.page.getByRole('button', { name: 'End them' }).click()
    await tab.sees('All links have ended')
    expect(await sessionOf(token)).toBeNull()
  })
}

async function textOf({ page }: Tab, pattern: RegExp): Promise<string> {
  return (await page.getByText(pattern).first().textContent()) ?? ''
}

/** What the relay says of a credential; null where it takes it no more. */
async function sessionOf(token: string): Promise<unknown> {
  const headers = { Authorization: `Bearer ${token}` }
  const response = await fetch(`${inject('relayUrl')}/api/v1/session`, { headers })
  return response.status === 401 ? null : ((await response.json()) as { data: unknown }).data
}
