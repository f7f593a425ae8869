/**
 * `node scripts/build/cli.ts [folder]`: makes the command `posthorn` in dist of a package's folder, packages/cli unless
 * another is given: one file with all that it needs, and the licences of what others wrote of it.
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build, type Metafile } from 'esbuild'
import { ROOT } from '../local/root.ts'

const distDir = path.resolve(process.argv[2] ?? path.join(ROOT, 'packages/cli'), 'dist')
const { version } = JSON.parse(await readFile(path.join(ROOT, 'packages/cli/package.json'), 'utf8')) as {
  version: string
}

const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: ['packages/cli/src/posthorn.ts'],
  outfile: path.join(distDir, 'posthorn.js'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  charset: 'utf8',
  logLevel: 'warning',
  metafile: true,
  define: { POSTHORN_VERSION: JSON.stringify(version) },
  // Some of these packages are CommonJS, and ask for modules of Node by require.
  banner: {
    js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)",
  },
})
await mkdir(distDir, { recursive: true })
await writeFile(path.join(distDir, 'LICENSES.txt'), await licencesOf(metafile))

/** The licences of the bundled packages, which ask to be passed on. */
async function licencesOf({ inputs }: Metafile): Promise<string> {
  const folders = new Set(
    Object.keys(inputs).flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  )
  const texts = await Promise.all([...folders].sort().map(licenceOf))
  return texts.join('\n\n')
}

async function licenceOf(folder: string): Promise<string> {
  const name = folder.split('node_modules/').at(-1)
  const file = (await readdir(path.join(ROOT, folder))).find((each) => /^licen[cs]e/i.test(each))
  const found = file === undefined ? null : path.join(ROOT, folder, file)
  if (found === null || !existsSync(found)) throw new Error(`${name} has no licence to pass on`)
  return `${name}\n${'-'.repeat(name?.length ?? 0)}\n${(await readFile(found, 'utf8')).trim()}\n`
}
