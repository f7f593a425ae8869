// Loaded before a program of this repository, on any version of Node: says what is missing instead of a stack.
import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

const MODULES = path.resolve(
  import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname),
  '../../node_modules',
)
/** The first versions that run TypeScript as it is. */
const RUNS_TYPESCRIPT = { 22: 18, 23: 6 }

const problem = problemOf()
if (problem !== null) {
  console.error(problem)
  process.exit(1)
}

function problemOf() {
  if (!existsSync(path.join(MODULES, 'miniflare'))) return 'The packages are not installed. Run: npm ci'
  if (runsTypeScript()) return null
  return [
    `These programs are TypeScript, which Node ${process.versions.node} does not run.`,
    'npm ci installs a Node that does, beside the one you have; its install script has not run (--ignore-scripts?).',
    'Either run that one script: npm rebuild node --ignore-scripts=false',
    'or use Node 22.18 or newer.',
  ].join('\n')
}

function runsTypeScript() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major >= 24 || minor >= (RUNS_TYPESCRIPT[major] ?? Number.POSITIVE_INFINITY)
}
