/** `npm run tasks`: ten tasks of a new user, done in the dashboard; says how many clicks and entries each takes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { openBrowser, openSignedIn } from './browser.ts'
import { FAILING, openScene, type Scene } from './scene.ts'

/** Somebody at the dashboard: what they do is counted. */
class Person {
  clicks = 0
  entries = 0
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  async click(what: Locator): Promise<void> {
    this.clicks++
    await what.click()
  }

  async enter(label: string | RegExp, text: string): Promise<void> {
    this.entries++
    const field = this.page.getByLabel(label).first()
    await field.fill(text)
    await field.press('Enter')
  }

  async fill(label: string, text: string): Promise<void> {
    this.entries++
    await this.page.getByLabel(label, { exact: true }).fill(text)
  }

  /** The answer that the task asks for is to be read. */
  async reads(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor()
  }

  link(name: string | RegExp): Locator {
    return this.page.getByRole('link', { name }).first()
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name }).first()
  }
}

type Task = { name: string; run: (person: Person, scene: Scene) => Promise<void> }

const today = () => new Date().toISOString().slice(0, 10)

const TASKS: readonly Task[] = [
  {
    name: 'find the failing receiver, and say why it fails',
    run: async (person) => {
      await person.click(person.link(FAILING.name))
      await person.reads(/503/)
    },
  },
  {
    name: 'see what was sent to it, and what it answered',
    run: async (person) => {
      await person.click(person.link(FAILING.name))
      await person.click(person.page.getByRole('table').getByRole('link').first())
      await person.click(person.page.getByText('Request and answer').last())
      await person.reads('What was sent')
    },
  },
  {
    name: 'resend today’s failures to one customer, once it is mended',
    run: async (person, { receiver }) => {
      receiver.script(FAILING.path, 200)
      await person.click(person.link(FAILING.name))
      await person.click(person.button('Replay'))
      await person.fill('Accepted from', today())
      await person.click(person.button(/^Replay \d+$/))
      await person.reads('Completed')
    },
  },
  {
    name: 'find the event of an invoice by its number, and who got it',
    run: async (person) => {
      await person.click(person.link('Events'))
      await person.enter('Id, or text in the payload', 'invoice_1035')
      await person.click(person.page.getByRole('table').getByRole('link').first())
      await person.reads(/Delivered at the first attempt/)
    },
  },
  {
    name: 'say why a customer did not get it',
    run: async (person) => {
      await person.click(person.link('Events'))
      await person.enter('Id, or text in the payload', 'order_1037')
      await person.click(person.page.getByRole('table').getByRole('link').first())
      await person.click(person.page.getByText(/did not get it, and why/))
      await person.reads('Not sent')
    },
  },
  {
    name: 'say how many events came in a week, and how fast receivers answer',
    run: async (person) => {
      await person.click(person.page.getByText('7 days', { exact: true }))
      await person.reads(/95 of 100 within/)
    },
  },
  {
    name: 'hold a receiver back for its maintenance, and let it go on',
    run: async (person) => {
      await person.click(person.link('Corvid: warehouse'))
      await person.click(person.button('Pause'))
      await person.reads(/events are kept/)
      await person.click(person.button('Resume'))
      await person.reads('Healthy')
    },
  },
  {
    name: 'find out if a receiver can be reached at all',
    run: async (person) => {
      await person.click(person.link('Acme: billing'))
      await person.click(person.button('Check'))
      await person.reads('Reached')
    },
  },
  {
    name: 'give a receiver a new secret, the old one valid for a day',
    run: async (person) => {
      await person.click(person.link('Acme: billing'))
      await person.click(person.button('Rotate'))
      await person.click(person.page.getByRole('dialog').getByRole('button', { name: 'Rotate' }))
      await person.reads(/is valid too/)
    },
  },
  {
    name: 'send invoices over 1,000 to a new customer',
    run: async (person, { receiver }) => {
      await person.click(person.link('Subscriptions'))
      await person.click(person.link('New subscription'))
      await person.fill('URL', receiver.url('/gannet'))
      await person.fill('Events', 'invoice.*')
      await person.fill('Filters', 'data.object.total >= 1000')
      await person.click(person.button('Create'))
      await person.reads('Subscription created')
    },
  },
]

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-tasks-'))
const scene = await openScene(stateDir)
const browser = await openBrowser()
try {
  console.log('| task | clicks | entries |\n| --- | --- | --- |')
  for (const { name, run } of TASKS) {
    const { page, context } = await openSignedIn(browser, scene.relay)
    const person = new Person(page)
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await run(person, scene)
    console.log(`| ${name} | ${person.clicks} | ${person.entries} |`)
    await context.close()
  }
} finally {
  await browser.close()
  await scene.close()
  rmSync(stateDir, { recursive: true, force: true })
}
