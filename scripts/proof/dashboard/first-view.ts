import { chromium } from 'playwright-core'
import { findChromium } from '../../../test/browser/support/chromium.ts'
import type { RelayProcess } from '../../../test/support/process/relay-process.ts'

/** What is there once the overview can be read. */
const SHOWN = 'Success rate'

/** Signs in, and answers the milliseconds from the key to the overview's figures; null where there is no browser. */
export async function timeFirstView({ url, adminKey }: RelayProcess): Promise<number[] | null> {
  const executablePath = findChromium()
  if (executablePath === null) return null
  const browser = await chromium.launch({
    executablePath,
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-dev-shm-usage'],
  })
  try {
    const times: number[] = []
    for (let round = 0; round < 3; round++) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      const page = await context.newPage()
      await page.goto(url)
      await page.getByLabel('Key or identity token').fill(adminKey)
      const startedAtMs = performance.now()
      await page.keyboard.press('Enter')
      await page.getByText(SHOWN).first().waitFor()
      times.push(performance.now() - startedAtMs)
      await context.close()
    }
    return times
  } finally {
    await browser.close()
  }
}
