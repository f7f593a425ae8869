import { describe, expect, inject, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { Tab, watchTabs } from './support/tab.ts'

type Document = {
  paths: Record<string, Record<string, { operationId: string; summary: string }>>
  webhooks: Record<string, { post: { operationId: string } }>
}

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const at = (path: string) => inject('relayUrl') + path

  describe('the reference', () => {
    test('is there without a key, and leads from the list of calls to one, with its example', async () => {
      const tab = await Tab.open(at('/docs'), { token: null })
      await tab.isAt('API reference')
      await tab.isFineInAllForms('reference')
      await tab.page.getByLabel('Find a call').fill('publish')
      await tab.page.getByRole('link', { name: 'Publish one event, or several' }).first().click()
      await tab.isAt(/Publish/)
      expect(tab.page.url()).toBe(at('/docs/publishEvents'))
      await tab.sees('events:publish')
      await tab.sees('Authorization: Bearer $POSTHORN_KEY')
      await tab.isFineInAllForms('reference-call')
    })

    test('shows every call of the document, and what a receiver gets', async () => {
      const document = (await (await fetch(at('/openapi.json'))).json()) as Document
      const calls = Object.values(document.paths).flatMap((operations) => Object.values(operations))
      const received = Object.values(document.webhooks).map(({ post }) => post)
      const tab = await Tab.open(at('/docs'), { token: null })
      await tab.isAt('API reference')
      const links = tab.page.getByRole('navigation', { name: 'Calls' }).getByRole('link')
      expect(await links.count()).toBe(calls.length + received.length + 1)
      for (const { operationId } of [...calls, ...received]) {
        await tab.page.evaluate(`document.querySelector('a[href="/docs/${operationId}"]').click()`)
        await tab.page.waitForFunction(
          `location.pathname === '/docs/${operationId}' && document.querySelector('main h1')`,
        )
        for (let depth = 0; depth < 2; depth++)
          await tab.page.evaluate(
            "for (const each of document.querySelectorAll('main details')) each.open = true",
          )
      }
    })

    test('says so where there is no such call, and keeps the key of one who has signed in out of itself', async () => {
      const tab = await Tab.open(at('/'))
      await tab.page.getByRole('link', { name: 'API reference' }).click()
      await tab.isAt('API reference')
      await tab.page.goto(at('/docs/noSuchCall'))
      await tab.isAt('There is no such call')
      await tab.page.getByRole('link', { name: 'See all calls' }).click()
      await tab.isAt('API reference')
      expect(await tab.page.content()).not.toContain(inject('adminKey'))
      expect(tab.page.url()).not.toContain(inject('adminKey'))
    })
  })
}
