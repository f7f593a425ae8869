import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, expect, inject } from 'vitest'
import { takeScreenshot, wantsPictures } from './screenshot.ts'

let browser: Browser | undefined
const open: Tab[] = []

type TabOptions = {
  /** The credential that the tab has signed in with; the operator's unless another one, or null for none. */
  token?: string | null
  /** Requests whose refusal is what the test is about: the browser's console reports each. */
  refused?: RegExp
  /** Done before the page is loaded. */
  before?: (page: Page) => Promise<void> | void
}

/** A tab of the browser that keeps count of what no page may do: errors in its console and breaches of its policy. */
export class Tab {
  readonly page: Page
  readonly problems: string[] = []
  readonly #context: BrowserContext

  private constructor(context: BrowserContext, page: Page, refused: RegExp | undefined) {
    this.#context = context
    this.page = page
    page.on('pageerror', (error) => this.problems.push(`thrown: ${error.message}`))
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return
      const text = `${message.text()} ${message.location().url}`
      if (refused === undefined || !refused.test(text)) this.problems.push(text)
    })
  }

  static async open(
    url: string,
    { token = inject('adminKey'), refused, before }: TabOptions = {},
  ): Promise<Tab> {
    browser ??= await chromium.connect(inject('browserUrl') ?? '')
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    context.setDefaultTimeout(20_000)
    if (token !== null) {
      const credential = JSON.stringify(JSON.stringify({ token, from: 'form' }))
      await context.addInitScript(`sessionStorage.setItem('posthorn.credential', ${credential})`)
    }
    const tab = new Tab(context, await context.newPage(), refused)
    open.push(tab)
    await before?.(tab.page)
    await tab.page.goto(url)
    return tab
  }

  /** Waits for a text that a person can see. */
  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor()
  }

  /** Waits for the page of this heading. */
  async isAt(heading: string | RegExp): Promise<void> {
    await this.page.getByRole('heading', { level: 1, name: heading }).waitFor()
  }

  /** Findings of axe, each with the place; none is what is wanted. */
  async accessibilityFindings(): Promise<string[]> {
    // Evaluated by the debugger, which the page's policy does not bind.
    await this.page.evaluate(axe.source)
    const found = await this.page.evaluate<
      { id: string; nodes: { html: string; any: { message: string }[] }[] }[]
    >('axe.run(document).then(({ violations }) => violations)')
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ html, any }) => `${id}: ${html.slice(0, 200)} ${any[0]?.message ?? ''}`),
    )
  }

  /** How many pixels the page is wider than its window. */
  async overflowPixels(): Promise<number> {
    return await this.page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')
  }

  /** Looks at the page as people may: wide and narrow, light and dark. Nothing may be wrong in any. */
  async isFineInAllForms(name: string): Promise<void> {
    for (const { form, look } of FORMS) {
      await this.#takeForm(form, look)
      await takeScreenshot(this.page, `${name}-${form.name}-${look}`)
      expect(await this.accessibilityFindings(), `axe: ${name}, ${form.name}, ${look}`).toEqual([])
      expect(await this.overflowPixels(), `overflow: ${name}, ${form.name}`).toBeLessThanOrEqual(0)
    }
    await this.#takeForm(WIDE, 'light')
  }

  async #takeForm({ width, height }: Form, colorScheme: 'light' | 'dark'): Promise<void> {
    await this.page.setViewportSize({ width, height })
    await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  }

  async close(): Promise<void> {
    await this.#context.close()
  }
}

type Form = { name: string; width: number; height: number }
const WIDE = { name: 'wide', width: 1280, height: 800 }
const NARROW = { name: 'narrow', width: 360, height: 740 }
/** Each width and each look once; all four where pictures are wanted. */
const FORMS: readonly { form: Form; look: 'light' | 'dark' }[] = [
  { form: WIDE, look: 'light' },
  { form: NARROW, look: 'dark' },
  ...(wantsPictures
    ? [
        { form: WIDE, look: 'dark' as const },
        { form: NARROW, look: 'light' as const },
      ]
    : []),
]

/** To be called once in each file: closes a test's tabs, and fails it for what went wrong in them. */
export function watchTabs(): void {
  afterEach(async () => {
    const tabs = open.splice(0)
    for (const tab of tabs) await tab.close()
    expect(tabs.flatMap(({ problems }) => problems)).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    browser = undefined
  })
}
