/** `npm run backup -- <file>`: the state of a local relay, running or not, in one archive. */
import process from 'node:process'
import { backUp } from '../local/backup/backup.ts'
import { RelayStartError } from '../local/start-error.ts'

const stateDir = process.env.STATE_DIR || '.posthorn'
const [file] = process.argv.slice(2)

try {
  if (file === undefined) throw new RelayStartError('Name a file: npm run backup -- posthorn-backup.tgz')
  const { databases, objects, bytes } = await backUp(stateDir, file)
  console.log(`${file}: ${databases} databases and ${objects} objects of ${stateDir}, ${bytes} bytes.
It has the key that opens its secrets: keep it as you keep the state.
Restore it into a folder of its own, with no relay on it:
  mkdir .posthorn-restored && tar -xzf ${file} -C .posthorn-restored
  STATE_DIR=.posthorn-restored npm start`)
} catch (error) {
  console.error(error instanceof RelayStartError ? error.message : error)
  process.exitCode = 1
}
