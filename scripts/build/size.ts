/** `npm run size`: how large the deployed Worker is, and the first load of the dashboard; fails above the limits. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { readWrangler } from '../tasks/wrangler.ts'
import { largestFirstLoad } from './first-load.ts'

/**
 * Raw bytes. Far under the platform's 3 MB (gzip): it guards start-up time, which grows with every byte parsed. The
 * examples of the API document are 33 kB of it.
 */
const LIMIT_BYTES = 1_300_000
/** Of what a browser loads that opens a page of the dashboard, with nothing of it in its cache; gzip. */
const FIRST_LOAD_BYTES_MAX = 250_000

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`

const outDir = await mkdtemp(path.join(tmpdir(), 'posthorn-size-'))
try {
  const build = readWrangler(['deploy', '--dry-run', '--outdir', outDir])
  if (!build.ok) throw new Error(build.output)
  const names = (await readdir(outDir, { recursive: true })).filter((name) =>
    /\.(js|html|txt|sql|wasm|bin)$/.test(name),
  )
  const files = await Promise.all(names.map((name) => readFile(path.join(outDir, name))))
  const raw = files.reduce((sum, file) => sum + file.length, 0)
  const gzip = files.reduce((sum, file) => sum + gzipSync(file).length, 0)
  console.log(`Worker: ${kilobytes(raw)} (gzip ${kilobytes(gzip)}), limit ${kilobytes(LIMIT_BYTES)}`)
  if (raw === 0) throw new Error('The dry run wrote no bundle.')
  if (raw > LIMIT_BYTES) throw new Error('The Worker is larger than its limit.')
  const { page, bytes } = largestFirstLoad()
  console.log(`Dashboard: ${kilobytes(bytes)} (gzip) at ${page}, limit ${kilobytes(FIRST_LOAD_BYTES_MAX)}`)
  if (bytes > FIRST_LOAD_BYTES_MAX)
    throw new Error('The first load of the dashboard is larger than its limit.')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await rm(outDir, { recursive: true, force: true })
}
