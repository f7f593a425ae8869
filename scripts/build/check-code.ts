/** Runs the commands of `npm run lint` and `npm run typecheck` two at a time, for `npm test`. Exits 1 where one fails. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { ROOT } from '../local/root.ts'

const AT_ONCE = 2

const { scripts } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as {
  scripts: { lint: string; typecheck: string }
}
// The largest of the projects comes last there; begun first, it is not what is waited for at the end.
const commands = [scripts.lint, ...scripts.typecheck.split(' && ')].reverse()
await Promise.all(Array.from({ length: AT_ONCE }, runOneByOne))

async function runOneByOne(): Promise<void> {
  for (let command = commands.shift(); command !== undefined; command = commands.shift()) {
    const { code, output } = await run(command)
    console.log(`> ${command}\n${output}`)
    if (code !== 0) process.exitCode = 1
  }
}

async function run(command: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(`${command} 2>&1`, { cwd: ROOT, shell: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  const [code, output] = await Promise.all([promise, buffer(child.stdout)])
  return { code, output: String(output) }
}
