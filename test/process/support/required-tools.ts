import { execFileSync } from 'node:child_process'
import { test } from 'vitest'

/** Commands and files that a test needs, each with the package of Debian that has it. */
export type Tools = Record<string, string>

/**
 * True when all tools are there. Else it registers a test that names the missing ones: it fails in CI, which
 * installs them all, and is skipped elsewhere with a line at the end of the run.
 */
export function hasTools(tools: Tools): boolean {
  const missing = Object.entries(tools).flatMap(([tool, debianPackage]) =>
    isThere(tool) ? [] : [`${tool} (${debianPackage})`],
  )
  if (missing.length === 0) return true
  const list = missing.join(', ')
  test('has its tools', ({ skip }) => {
    if (process.env['CI']) throw new Error(`install ${list}`)
    skip(`missing ${list}`)
  })
  return false
}

function isThere(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0" || test -f "$0"', tool], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
