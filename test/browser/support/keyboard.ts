import type { Page } from 'playwright-core'

const TAB_STOPS_MAX = 80

/** The name of what has the focus: of a field its own, or else what it says. */
export async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>(
    'document.activeElement.name || document.activeElement.ariaLabel || document.activeElement.textContent.trim()',
  )
}

/** Presses Tab until the focus is there, as one without a mouse does. */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let stop = 0; stop < TAB_STOPS_MAX; stop++) {
    await page.keyboard.press('Tab')
    const found = await focused(page)
    if (typeof name === 'string' ? found === name : name.test(found)) return
  }
  throw new Error(`Tab does not get to ${name}.`)
}
