/**
 * `node scripts/build/openapi.ts [folder]`: writes the OpenAPI document of the routes, and its TypeScript types, to
 * dist/openapi of a package's folder, packages/client unless another is given. No relay is started.
 */
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from '../local/root.ts'

/** Where a local relay serves. A client is told its own relay's address. */
const SERVERS = [{ url: 'http://127.0.0.1:8787' }]

const outDir = path.resolve(process.argv[2] ?? path.join(ROOT, 'packages/client'), 'dist/openapi')
const workDir = await mkdtemp(path.join(tmpdir(), 'posthorn-openapi-build-'))
try {
  const builtDir = path.join(workDir, 'built')
  const document = path.join(builtDir, 'openapi.json')
  const types = path.join(builtDir, 'index.d.ts')
  await mkdir(builtDir)
  await writeFile(document, `${JSON.stringify({ ...(await describe()), servers: SERVERS }, null, 1)}\n`)
  writeTypes(document, types)
  await writeFile(path.join(builtDir, 'index.d.cts'), await readFile(types))
  // Types only: but a bundler that finds no file for an import stops.
  await writeFile(path.join(builtDir, 'index.js'), 'export {}\n')
  await writeFile(path.join(builtDir, 'index.cjs'), "'use strict'\n")
  // Others may be reading the types: what has not changed stays where it is.
  if (!(await isSame(builtDir, outDir))) {
    await rm(outDir, { recursive: true, force: true })
    await mkdir(path.dirname(outDir), { recursive: true })
    await cp(builtDir, outDir, { recursive: true })
  }
} finally {
  await rm(workDir, { recursive: true, force: true })
}

async function isSame(one: string, other: string): Promise<boolean> {
  const names = await readdir(one)
  const same = names.map(async (name) => {
    const text = await readFile(path.join(other, name), 'utf8').catch(() => null)
    return text === (await readFile(path.join(one, name), 'utf8'))
  })
  return (await Promise.all(same)).every(Boolean)
}

/** Reads the routes by names made here: they are checked with the Worker's types, this file with those of Node. */
async function describe(): Promise<object> {
  const source = (file: string) => import(pathToFileURL(path.join(ROOT, 'src/api', file)).href)
  const { describeApi } = (await source('openapi/document.ts')) as { describeApi(routes: unknown): object }
  const { routes } = (await source('v1/routes.ts')) as { routes: unknown }
  return describeApi(routes)
}

/** The generator is built on TypeScript 5, and so lives in a workspace that has it. */
function writeTypes(document: string, types: string): void {
  const workspace = createRequire(path.join(ROOT, 'test/generated-clients/package.json'))
  const cli = path.join(path.dirname(workspace.resolve('openapi-typescript/package.json')), 'bin/cli.js')
  execFileSync(process.execPath, [cli, document, '-o', types], { stdio: ['ignore', 'ignore', 'inherit'] })
}
