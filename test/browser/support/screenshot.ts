import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'

/** A folder, where pictures of the pages are wanted. */
const FOLDER = process.env['SCREENSHOTS'] ?? ''
export const wantsPictures = FOLDER !== ''

/** Keeps a picture of the page, where `SCREENSHOTS` names a folder. */
export async function takeScreenshot(page: Page, name: string): Promise<void> {
  if (!wantsPictures) return
  mkdirSync(FOLDER, { recursive: true })
  await page.screenshot({ path: path.join(FOLDER, `${name}.png`), fullPage: true })
}
