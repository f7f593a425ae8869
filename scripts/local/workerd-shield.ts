import { createRequire } from 'node:module'
import path from 'node:path'
import { ROOT } from './root.ts'

/**
 * Makes Miniflare start workerd with Ctrl-C and its like ignored: those reach every process of a terminal, and workerd
 * has to answer until node has stopped in order. Windows has no such signals.
 */
export function shieldWorkerd(): void {
  if (process.platform === 'win32' || process.env.MINIFLARE_WORKERD_PATH !== undefined) return
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve('miniflare'))
  const { default: workerd } = fromMiniflare('workerd') as { default: string }
  process.env.POSTHORN_WORKERD = workerd
  process.env.MINIFLARE_WORKERD_PATH = path.join(ROOT, 'scripts/local/workerd.sh')
}
