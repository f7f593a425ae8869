import { expect, inject, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

const GERMAN = {
  lang: 'de',
  texts: {
    Overview: 'Übersicht',
    Traffic: 'Verkehr',
    Subscriptions: 'Abonnements',
    'What is going on with your subscriptions.': 'Was mit Ihren Abonnements geschieht.',
    'Paused {0}: events are kept, and go out once it is resumed.': 'Angehalten ({0}): Ereignisse warten.',
    'just now': 'eben',
  },
}

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()

  test("the portal reads in the operator's words, in English where there are none, and the operator's own pages in English", async () => {
    const workspace = new Workspace()
    const metadata = { customerId: '42' }
    const id = await workspace.subscribe('https://example.com/hooks', { metadata })
    await workspace.call('POST', `/webhooks/${id}/pause`)
    const { url } = await workspace.call<{ url: string }>('POST', '/portal-tokens', {
      webhooks: { metadata },
    })
    const tab = await Tab.open('about:blank', { token: null })
    await tab.page.route('**/portal-texts.json', (route) => route.fulfill({ json: GERMAN }))
    await tab.page.goto(url)
    await tab.isAt('Übersicht')
    await tab.sees('Was mit Ihren Abonnements geschieht.')
    await tab.sees('Angehalten (eben): Ereignisse warten.')
    await tab.sees('Verkehr')
    await tab.page.getByRole('link', { name: 'Event types' }).waitFor()
    expect(await tab.page.evaluate('document.documentElement.lang')).toBe('de')
    await tab.isFineInAllForms('portal-german')
    const own = await Tab.open(workspace.at('/'), { token: inject('adminKey') })
    await own.isAt('Overview')
    expect(await own.page.evaluate('document.documentElement.lang')).toBe('en')
  })

  test('the portal is there in English where the file of texts is broken', async () => {
    const workspace = new Workspace()
    const { url } = await workspace.call<{ url: string }>('POST', '/portal-tokens', {})
    const tab = await Tab.open('about:blank', { token: null })
    await tab.page.route('**/portal-texts.json', (route) => route.fulfill({ body: 'no JSON' }))
    await tab.page.goto(url)
    await tab.isAt('Overview')
  })
}
