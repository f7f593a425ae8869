import { execFileSync } from 'node:child_process'

/** The command of Debian's package; `CHROMIUM` names another one. */
export const CHROMIUM = process.env['CHROMIUM'] ?? 'chromium'

/** Where the browser is; null where there is none. */
export function findChromium(): string | null {
  try {
    return execFileSync('sh', ['-c', 'command -v "$0"', CHROMIUM], { encoding: 'utf8' }).trim()
  } catch {
    return null
  }
}
