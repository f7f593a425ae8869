/** `npm run pictures`: makes the pictures of the README again, in docs/images. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openSignedIn } from './browser.ts'
import { FAILING, openScene, type Scene } from './scene.ts'

const IMAGES = path.join(import.meta.dirname, '../../docs/images')
const BYTES_MAX = 150_000
const QUALITY = 82

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-pictures-'))
const scene = await openScene(stateDir)
const browser = await openBrowser()
try {
  mkdirSync(IMAGES, { recursive: true })
  await takeOverview(browser, scene)
  await takeFailing(browser, scene)
} finally {
  await browser.close()
  await scene.close()
  rmSync(stateDir, { recursive: true, force: true })
}

async function takeOverview(from: Browser, { relay }: Scene): Promise<void> {
  const { page, context } = await openSignedIn(from, relay)
  await page.goto(`${relay.url}/?period=7d`)
  await page.locator('canvas').nth(1).waitFor()
  await keep(page, 'overview.webp', 1_120)
  await context.close()
}

async function takeFailing(from: Browser, { relay }: Scene): Promise<void> {
  const { page, context } = await openSignedIn(from, relay, 'dark')
  await page.getByRole('link', { name: FAILING.name }).first().click()
  await page.getByRole('heading', { level: 1, name: FAILING.name }).waitFor()
  await page
    .getByText(/^Failed for good/)
    .first()
    .waitFor()
  await page.locator('canvas').nth(1).waitFor()
  await keep(page, 'subscription.webp', 1_120)
  await context.close()
}

/** Writes what is seen as WebP, which the browser makes by itself. */
async function keep(page: Page, name: string, height: number): Promise<void> {
  await page.setViewportSize({ width: 1280, height })
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  const bytes = Buffer.from(data, 'base64')
  if (bytes.length > BYTES_MAX) throw new Error(`${name} has ${bytes.length} bytes, more than ${BYTES_MAX}.`)
  writeFileSync(path.join(IMAGES, name), bytes)
  console.log(`docs/images/${name}: ${bytes.length} bytes`)
}
