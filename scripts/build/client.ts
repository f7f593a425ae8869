/**
 * `node scripts/build/client.ts [folder]`: makes the package `posthorn` in dist of a package's folder, packages/client
 * unless another is given: each of its modules for ESM and for CommonJS, with types for both. After openapi.ts, whose
 * types the others need.
 */
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'
import { ROOT } from '../local/root.ts'

/** The modules: where each is below dist, and its source. */
const ENTRIES: ReadonlyMap<string, string> = new Map([
  ['index', 'packages/client/src/index.ts'],
  ['verify/index', 'src/signature/index.ts'],
  ['testing/index', 'packages/client/src/testing/index.ts'],
  ['outbox/index', 'packages/client/src/outbox/index.ts'],
])
/** Where declarations are below dist, by the beginning of their source's path. */
const PLACES: readonly [source: string, place: string][] = [
  ['packages/client/src/', ''],
  ['src/signature/', 'verify/'],
]
const OPENAPI = 'openapi/index'

/** Endings of one module format: of its code, and of the types that TypeScript looks up beside it. */
type Format = { name: 'esm' | 'cjs'; code: 'js' | 'cjs'; types: 'd.ts' | 'd.cts' }
const FORMATS: Format[] = [
  { name: 'esm', code: 'js', types: 'd.ts' },
  { name: 'cjs', code: 'cjs', types: 'd.cts' },
]

const distDir = path.resolve(process.argv[2] ?? path.join(ROOT, 'packages/client'), 'dist')
const workDir = await mkdtemp(path.join(tmpdir(), 'posthorn-client-build-'))
try {
  const builtDir = path.join(workDir, 'built')
  const emittedDir = path.join(workDir, 'emitted')
  await emitDeclarations(emittedDir)
  for (const format of FORMATS) {
    for (const name of ENTRIES.keys()) await bundle(name, builtDir, format)
    await copyDeclarations(emittedDir, builtDir, format)
  }
  // A failed build leaves the last one as it was; a finished one leaves none of its files behind.
  await cp(path.join(distDir, 'openapi'), path.join(builtDir, 'openapi'), { recursive: true })
  await rm(distDir, { recursive: true, force: true })
  await cp(builtDir, distDir, { recursive: true })
} finally {
  await rm(workDir, { recursive: true, force: true })
}

/** One file that imports nothing but other modules of the package, so that it runs wherever fetch and WebCrypto are. */
async function bundle(name: string, folder: string, { name: format, code }: Format): Promise<void> {
  await build({
    entryPoints: [path.join(ROOT, ENTRIES.get(name) ?? '')],
    outfile: path.join(folder, `${name}.${code}`),
    bundle: true,
    format,
    platform: 'neutral',
    target: 'es2022',
    charset: 'utf8',
    logLevel: 'warning',
    plugins: [leaveModulesApart(name, code)],
  })
}

/** A class that two modules share has to be the same one in both. */
function leaveModulesApart(name: string, code: string): Plugin {
  const others = [...ENTRIES].filter(([other]) => other !== name)
  return {
    name: 'leave-modules-apart',
    setup({ onResolve }) {
      onResolve({ filter: /\/index\.ts$/ }, ({ path: target, resolveDir, kind }) => {
        if (kind === 'entry-point') return undefined
        const source = path.relative(ROOT, path.join(resolveDir, target))
        const found = others.find(([, each]) => each === source)
        return found && { path: relativePath(name, `${found[0]}.${code}`), external: true }
      })
    },
  }
}

/** Emits every source's types, checked against the document's types that were built for this package. */
async function emitDeclarations(folder: string): Promise<void> {
  const compilerOptions = {
    ...{ declaration: true, emitDeclarationOnly: true, allowImportingTsExtensions: true },
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: true },
    ...{ target: 'es2022', lib: ['es2024'], module: 'esnext' },
    types: [path.join(ROOT, 'node_modules/@cloudflare/workers-types')],
    ...{ moduleResolution: 'bundler', rootDir: ROOT, outDir: folder },
    paths: { 'posthorn/openapi': [path.join(distDir, 'openapi/index.d.ts')] },
  }
  const files = [...ENTRIES.values()].map((source) => path.join(ROOT, source))
  const project = path.join(workDir, 'tsconfig.json')
  await writeFile(project, JSON.stringify({ compilerOptions, files }))
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
  const tsc = path.join(path.dirname(typescript), 'bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', project], { cwd: ROOT, stdio: 'inherit' })
}

/** Copies the modules' types and those they need, with imports that every resolution mode understands. */
async function copyDeclarations(from: string, to: string, { code, types }: Format): Promise<void> {
  // A Set takes up what is added to it while it is walked.
  const sources = new Set([...ENTRIES.values()].map((source) => source.replace(/\.ts$/, '')))
  for (const source of sources) {
    const place = placeOf(source)
    const text = await readFile(path.join(from, `${source}.d.ts`), 'utf8')
    const rewritten = text
      .replace(/(["'])(\.{1,2}\/[a-z0-9/.-]+)\.ts\1/g, (_, quote, needed) => {
        const target = path.join(path.dirname(source), needed)
        sources.add(target)
        return `${quote}${relativePath(place, placeOf(target))}.${code}${quote}`
      })
      .replace(
        /(["'])posthorn\/openapi\1/g,
        (_, quote) => `${quote}${relativePath(place, OPENAPI)}.${code}${quote}`,
      )
    const file = path.join(to, `${place}.${types}`)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, rewritten)
  }
}

function placeOf(source: string): string {
  const found = PLACES.find(([beginning]) => source.startsWith(beginning))
  if (found === undefined) throw new Error(`The types of the package need ${source}, which is no part of it`)
  const [beginning, place] = found
  return place + source.slice(beginning.length)
}

/** A path from a module to another, as an import names it. */
function relativePath(from: string, to: string): string {
  const found = path.relative(path.dirname(from), to)
  return found.startsWith('.') ? found : `./${found}`
}
