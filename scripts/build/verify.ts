/** `node scripts/build/verify.ts [folder]`: makes `posthorn/verify`, one module with its types, in dist/verify. */
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'

const ROOT = path.resolve(import.meta.dirname, '../..')
const ENTRY = path.join(ROOT, 'src/signature/index.ts')
const outDir = path.resolve(process.argv[2] ?? path.join(ROOT, 'dist/verify'))

const workDir = await mkdtemp(path.join(tmpdir(), 'posthorn-verify-build-'))
try {
  await bundle(workDir)
  emitDeclarations(workDir)
  await mkdir(outDir, { recursive: true })
  await cp(path.join(workDir, 'index.js'), path.join(outDir, 'index.js'))
  await copyDeclarations(workDir, outDir, 'index')
} finally {
  await rm(workDir, { recursive: true, force: true })
}

/** One file without imports, so that it runs wherever modules and WebCrypto do. */
async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: [ENTRY],
    outfile: path.join(folder, 'index.js'),
    bundle: true,
    format: 'esm',
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
    ...['--types', '@cloudflare/workers-types', '--outDir', folder],
  ]
  execFileSync(process.execPath, [tsc, ENTRY, ...options], { cwd: ROOT, stdio: 'inherit' })
}

/** Copies a module's types and those they need, with imports that every resolution mode understands. */
async function copyDeclarations(
  from: string,
  to: string,
  name: string,
  done = new Set<string>(),
): Promise<void> {
  if (done.has(name)) return
  done.add(name)
  const text = await readFile(path.join(from, `${name}.d.ts`), 'utf8')
  const rewritten = text.replace(/(["'])(\.{1,2}\/[a-z0-9/.-]+)\.ts\1/g, '$1$2.js$1')
  await mkdir(path.dirname(path.join(to, name)), { recursive: true })
  await writeFile(path.join(to, `${name}.d.ts`), rewritten)
  for (const [, needed = ''] of rewritten.matchAll(/["'](\.{1,2}\/[a-z0-9/.-]+)\.js["']/g)) {
    await copyDeclarations(from, to, path.join(path.dirname(name), needed), done)
  }
}
