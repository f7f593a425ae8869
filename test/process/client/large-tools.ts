import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../../support/built-package.ts'

/** Up to a hundred megabytes each: a proof installs them, and keeps them for the next. */
const TOOLS = path.join(ROOT, 'node_modules/.cache/posthorn/tools')
const VERSIONS = {
  deno: '2.9.6',
  bun: '1.4.5',
  '@arethetypeswrong/cli': '0.18.5',
  'better-sqlite3': '13.2.0',
} as const

/** Installs a package that is too large for all who run the tests; answers the folder of its files. */
export function installLarge(name: keyof typeof VERSIONS): string {
  const folder = path.join(TOOLS, 'node_modules', name)
  if (existsSync(folder)) return folder
  mkdirSync(TOOLS, { recursive: true })
  const args = ['install', '--prefix', TOOLS, '--no-audit', '--no-fund', '--no-package-lock']
  execFileSync('npm', [...args, `${name}@${VERSIONS[name]}`], { cwd: TOOLS, stdio: 'pipe' })
  return folder
}

/** The program of such a package. */
export function installTool(name: keyof typeof VERSIONS, program: string): string {
  installLarge(name)
  return path.join(TOOLS, 'node_modules/.bin', program)
}
