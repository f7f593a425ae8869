import { describe, expect, test } from 'vitest'
import { hasTools } from '../process/support/required-tools.ts'
import { CHROMIUM } from './support/chromium.ts'
import { focused, tabTo } from './support/keyboard.ts'
import { openReceiver } from './support/receiver.ts'
import { Tab, watchTabs } from './support/tab.ts'
import { Workspace } from './support/workspace.ts'

type Stored = { id: string; name: string | null; events: string[]; filters: unknown }

if (hasTools({ [CHROMIUM]: 'chromium' })) {
  watchTabs()
  const receiver = await openReceiver()

  describe('the form of a subscription', () => {
    test('creates one by keyboard alone, and shows the secret, this once', async () => {
      const workspace = new Workspace()
      const tab = await Tab.open(workspace.at('/subscriptions'))
      await tab.isAt('Subscriptions')
      await tabTo(tab.page, 'New subscription')
      await tab.page.keyboard.press('Enter')
      await tab.isAt('New subscription')
      await tabTo(tab.page, 'url')
      await tab.page.keyboard.type(receiver.url('/by-keyboard'))
      await tabTo(tab.page, 'events')
      await tab.page.keyboard.type('invoice.paid')
      await tabTo(tab.page, 'filters')
      await tab.page.keyboard.type('data.object.total >= 1000')
      await tabTo(tab.page, 'Create')
      await tab.page.keyboard.press('Enter')
      await tab.isAt('Subscription created')
      const [created] = await workspace.call<Stored[]>('GET', '/webhooks')
      const { secret } = await workspace.call<{ secret: string }>('GET', `/webhooks/${created?.id}/secret`)
      await tab.sees(secret)
      await tab.isFineInAllForms('subscription-created')
      await tab.page.getByRole('link', { name: 'Go to the subscription' }).click()
      await tab.page.waitForURL(new RegExp(`/subscriptions/${created?.id}$`))
      expect(created).toMatchObject({ events: ['invoice.paid'], filters: ['data.object.total >= 1000'] })
      await tab.page.getByText(secret).waitFor({ state: 'detached' })
    })

    test('shows beside itself what an event would become, or which rule refuses it', async () => {
      const workspace = new Workspace()
      await workspace.publish('invoice.paid', { object: { id: 'inv_1', total: 2567.5 } })
      const tab = await Tab.open(workspace.at('/subscriptions/new'))
      const { page } = tab
      await page.getByLabel('URL').fill(receiver.url('/previewed'))
      await page.getByLabel('Events', { exact: true }).fill('invoice.*')
      await page.getByLabel('Template').fill('{"sum": "{{data.object.total}} EUR"}')
      await page.getByLabel('Sample event').selectOption({ index: 1 })
      await tab.sees('2567.5 EUR')
      await tab.sees('Matches')
      await tab.sees('webhook-signature')
      await page.getByLabel('Filters').fill('data.object.total >= 9000')
      await tab.sees(/data\.object\.total >= 9000.*/)
      await page.getByText('Refused', { exact: true }).waitFor()
      await tab.isFineInAllForms('subscription-form')
      expect(receiver.requests('/previewed')).toEqual([])
    })

    test('completes types, paths of the sample and of the catalogue, by keyboard', async () => {
      const workspace = new Workspace()
      const example = { object: { total: 12.5, lines: [{ sku: 'A' }] } }
      await workspace.call('PUT', '/event-types/invoice.paid', { example })
      const tab = await Tab.open(workspace.at('/subscriptions/new'))
      const { page } = tab
      const { keyboard } = page
      const offers = page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option')
      await page.getByLabel('Events', { exact: true }).pressSequentially('inv')
      await offers.first().waitFor()
      expect(await offers.allTextContents()).toEqual(['invoice.*', 'invoice.paid'])
      await tab.isFineInAllForms('subscription-form-completed')
      await keyboard.press('ArrowUp')
      await keyboard.press('Enter')
      expect(await page.getByLabel('Events', { exact: true }).inputValue()).toBe('invoice.paid')
      const filters = page.getByLabel('Filters')
      await filters.pressSequentially('data.object.to')
      await keyboard.press('ArrowDown')
      await keyboard.press('Enter')
      await keyboard.type(' > 5')
      await keyboard.press('Enter')
      await keyboard.type('event == "x"')
      expect(await filters.inputValue()).toBe('data.object.total > 5\nevent == "x"')
      await page.getByLabel('Event as JSON').fill('{"event": "invoice.paid", "data": {"ofSample": 1}}')
      const template = page.getByLabel('Template')
      await template.pressSequentially('{"data": "{{ data.ofS')
      await page.getByRole('option', { name: 'data.ofSample' }).click()
      expect(await template.inputValue()).toBe('{"data": "{{ data.ofSample')
      await keyboard.type(' }} data')
      await offers.first().waitFor({ state: 'detached' })
      await keyboard.press('Escape')
    })

    test('shows where an expression or a template is wrong while it is written, and goes there', async () => {
      const tab = await Tab.open(new Workspace().at('/subscriptions/new'), { refused: /status of 400/ })
      const { page } = tab
      await page.getByLabel('URL').fill(receiver.url('/pointed'))
      await page.getByLabel('Events', { exact: true }).fill('*')
      await page.getByLabel('Filters').fill('data.object.id == "a"\n  data.object.total >>= 5')
      await page.getByRole('button', { name: 'Go to line 2, column 22' }).click()
      await tab.isFineInAllForms('subscription-form-pointed')
      expect(await focused(page)).toBe('filters')
      expect(await page.evaluate('document.activeElement.selectionStart')).toBe(43)
      await page.getByLabel('Filters').fill('')
      await page.getByLabel('Template').fill('{"sum": "{{ data.object.total | tims: 2 }}"}')
      await page.getByRole('button', { name: /^Go to line 1, column/ }).waitFor()
      await page.getByLabel('Template').fill('{"sum": 5')
      await tab.sees(/is no JSON/)
    })

    test('says at each field what is wrong with it, and goes to the first', async () => {
      const tab = await Tab.open(new Workspace().at('/subscriptions/new'), { refused: /status of 400/ })
      const { page } = tab
      await page.getByLabel('Retry policy').fill('{"maxRetries": 5')
      await page.getByRole('button', { name: 'Create' }).click()
      await tab.sees('is needed: where events are sent')
      await tab.sees(/is no JSON: .*position/)
      expect(await focused(page)).toBe('url')
      await page.getByLabel('URL').fill(receiver.url('/refused'))
      await page.getByLabel('Events', { exact: true }).fill('*')
      await page.getByLabel('Retry policy').fill('{"maxRetries": 500}')
      await page.getByRole('button', { name: 'Create' }).click()
      const field = page.getByLabel('Retry policy')
      await page
        .locator('form')
        .getByText(/^retryPolicy\.maxRetries: /)
        .waitFor()
      await tab.isFineInAllForms('subscription-form-refused')
      expect(await focused(page)).toBe('retryPolicy')
      expect(await field.inputValue()).toBe('{"maxRetries": 500}')
    })

    test('changes what was changed, and keeps a credential that it does not know', async () => {
      const workspace = new Workspace()
      const headers = { Authorization: 'Bearer of-the-receiver', 'X-Team': 'billing' }
      const id = await workspace.subscribe(receiver.url('/edited'), { name: 'Ledger', headers })
      const tab = await Tab.open(workspace.at(`/subscriptions/${id}`))
      await tab.page.getByRole('link', { name: 'Edit' }).click()
      await tab.isAt('Edit Ledger')
      await tab.page.getByLabel('Name').fill('Big ledger')
      await tab.page.getByLabel('Headers').fill('Authorization: ********\nX-Team: finance')
      await tab.page.getByRole('button', { name: 'Save' }).click()
      await tab.isAt('Big ledger')
      await workspace.publish('invoice.paid')
      expect(await receiver.waitForDelivered('/edited', 1, 20_000)).toBe(true)
      expect(receiver.requests('/edited')[0]?.headers).toMatchObject({
        authorization: 'Bearer of-the-receiver',
        'x-team': 'finance',
      })
    })
  })
}
