import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { findChromium } from '../../test/browser/support/chromium.ts'
import type { RelayProcess } from '../../test/support/process/relay-process.ts'

/** Starts the browser; throws where there is none. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === null) throw new Error('There is no Chromium: name one by CHROMIUM.')
  return await chromium.launch({
    executablePath,
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-dev-shm-usage'],
  })
}

/** A tab in which the operator has signed in. */
export async function openSignedIn(
  browser: Browser,
  { url, adminKey }: RelayProcess,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({
    ...{ viewport: { width: 1280, height: 800 }, colorScheme, reducedMotion: 'reduce' },
    ...{ locale: 'en-GB', timezoneId: 'UTC' },
  })
  context.setDefaultTimeout(20_000)
  const credential = JSON.stringify(JSON.stringify({ token: adminKey, from: 'form' }))
  await context.addInitScript(`sessionStorage.setItem('posthorn.credential', ${credential})`)
  const page = await context.newPage()
  await page.goto(url)
  return { page, context }
}
