/**
 * `node scripts/build/dashboard.ts`: builds the dashboard into apps/dashboard/dist, from where the Worker serves it.
 * What lies there is kept if it was made of the same sources.
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { DASHBOARD_DIST } from '../local/assets.ts'
import { keyOfSources } from '../local/build/sources-key.ts'
import { ROOT } from '../local/root.ts'

const DASHBOARD = 'apps/dashboard'
/** All that changes a build. */
const SOURCES = ['src', 'public', 'index.html', 'vite.config.ts', 'package.json'].map((name) =>
  path.join(DASHBOARD, name),
)
/** Beside the assets, and none of them. */
const KEY_FILE = path.join(DASHBOARD_DIST, '.sources-key')

const key = keyOfSources(ROOT, [...SOURCES, 'scripts/texts', 'package-lock.json'])
if (!existsSync(KEY_FILE) || readFileSync(KEY_FILE, 'utf8') !== key) await buildDashboard()

/** A build that fails leaves the last one as it was; one that ends meanwhile, of another process, is as good. */
async function buildDashboard(): Promise<void> {
  console.error('Building the dashboard …')
  // Under a test runner it would be React for development, a third larger, that is built.
  process.env.NODE_ENV = 'production'
  const { build } = await import('vite')
  const drafts = path.join(ROOT, 'node_modules/.cache/posthorn')
  await mkdir(drafts, { recursive: true })
  const draft = await mkdtemp(path.join(drafts, 'dashboard-'))
  try {
    await build({
      root: path.join(ROOT, DASHBOARD),
      logLevel: 'warn',
      build: { outDir: draft, emptyOutDir: true },
    })
    await writeFile(path.join(draft, '.assetsignore'), '.sources-key\n.vite\n')
    await writeFile(path.join(draft, '.sources-key'), key)
    await rm(DASHBOARD_DIST, { recursive: true, force: true })
    await rename(draft, DASHBOARD_DIST)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}
