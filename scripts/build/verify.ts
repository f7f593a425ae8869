/**
 * `node scripts/build/verify.ts [folder]`: makes `posthorn/verify` in dist/verify of a package's
 * folder, packages/client unless another is given: for ESM and for CommonJS, with types for both.
 */
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import { ROOT } from '../local/root.ts'

const ENTRY = path.join(ROOT, 'src/signature/index.ts')

/** Endings of one module format: of its code, and of the types that TypeScript looks up beside it. */
type Format = { name: 'esm' | 'cjs'; code: 'js' | 'cjs'; types: 'd.ts' | 'd.cts' }
const FORMATS: Format[] = [
  { name: 'esm', code: 'js', types: 'd.ts' },
  { name: 'cjs', code: 'cjs', types: 'd.cts' },
]

const outDir = path.resolve(process.argv[2] ?? path.join(ROOT, 'packages/client'), 'dist/verify')
const workDir = await mkdtemp(path.join(tmpdir(), 'posthorn-verify-build-'))
try {
  const builtDir = path.join(workDir, 'built')
  const emittedDir = path.join(workDir, 'emitted/signature')
  emitDeclarations(path.join(workDir, 'emitted'))
  for (const format of FORMATS) {
    await bundle(builtDir, format)
    await copyDeclarations(emittedDir, builtDir, format)
  }
  // A failed build leaves the last one as it was; a finished one leaves none of its files behind.
  await rm(outDir, { recursive: true, force: true })
  await cp(builtDir, outDir, { recursive: true })
} finally {
  await rm(workDir, { recursive: true, force: true })
}

/** One file without imports, so that it runs wherever modules and WebCrypto do. */
async function bundle(folder: string, { name, code }: Format): Promise<void> {
  await build({
    entryPoints: [ENTRY],
    outfile: path.join(folder, `index.${code}`),
    bundle: true,
    format: name,
    platform: 'neutral',
    target: 'es2022',
    charset: 'utf8',
    logLevel: 'warning',
  })
}

function emitDeclarations(folder: string): void {
  const tsc = path.join(
    path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin/tsc',
  )
  const options = [
    ...['--ignoreConfig', '--declaration', '--emitDeclarationOnly', '--allowImportingTsExtensions'],
    ...['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck'],
    ...['--target', 'es2022', '--lib', 'es2024', '--module', 'esnext', '--moduleResolution', 'bundler'],
    ...['--types', '@cloudflare/workers-types', '--rootDir', 'src', '--outDir', folder],
  ]
  execFileSync(process.execPath, [tsc, ENTRY, ...options], { cwd: ROOT, stdio: 'inherit' })
}

/** Copies the entry's types and those they need, with imports that every resolution mode understands. */
async function copyDeclarations(from: string, to: string, { code, types }: Format): Promise<void> {
  // A Set takes up what is added to it while it is walked.
  const modules = new Set(['index'])
  for (const module of modules) {
    const text = await readFile(path.join(from, `${module}.d.ts`), 'utf8')
    const rewritten = text.replace(/(["'])(\.{1,2}\/[a-z0-9/.-]+)\.ts\1/g, (_, quote, needed) => {
      modules.add(path.join(path.dirname(module), needed))
      return `${quote}${needed}.${code}${quote}`
    })
    const file = path.join(to, `${module}.${types}`)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, rewritten)
  }
}
