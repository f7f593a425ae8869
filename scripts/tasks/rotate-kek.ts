/**
 * `npm run rotate-kek`: another key for the state of a local relay that is stopped. `npm run rotate-kek -- <url>`: seals
 * everything anew in a relay that has been given another key and the one before, by its API and with ADMIN_KEY.
 */
import process from 'node:process'
import { type Rotation, rotateKeys, rotateState } from '../local/rotate-keys.ts'
import { RelayStartError } from '../local/start-error.ts'

const stateDir = process.env.STATE_DIR || '.posthorn'
const [url] = process.argv.slice(2)

/** Shows each step: in place on a terminal, else a line for each quarter of a walk. */
function progress(): (rotation: Rotation) => void {
  const named = new Set<string>()
  let shown = ''
  return ({ walk, percent, resealed, unreadable, state }) => {
    for (const { workspaceId, id, field } of unreadable) {
      const place = `"${field}" of ${id} in workspace ${workspaceId}`
      if (!named.has(place)) say(`No key opens ${place}: give it anew by PATCH.`)
      named.add(place)
    }
    const quarter = process.stdout.isTTY ? percent : Math.floor(percent / 25) * 25
    const line = `walk ${walk}: ${quarter} %, ${resealed} sealed anew`
    if (state === 'completed' || line === shown) return
    shown = line
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`)
    else console.log(line)
  }
}

function say(line: string): void {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  console.log(line)
}

function sayResult({ keyId, resealed, unreadableCount }: Rotation): void {
  const lost = unreadableCount === 0 ? '' : ` ${unreadableCount} are sealed under a key that is lost.`
  say(`Everything that opens is sealed under the key ${keyId}; ${resealed} sealed anew.${lost}`)
}

async function rotateRemote(relayUrl: string): Promise<void> {
  const adminKey = process.env.ADMIN_KEY
  if (!adminKey) throw new RelayStartError('Set ADMIN_KEY to the admin key of that relay.')
  const rotation = await rotateKeys({ url: relayUrl.replace(/\/+$/, ''), adminKey }, progress())
  sayResult(rotation)
  say(
    rotation.previousKeyId === null
      ? 'There is no key before: KEY_ENCRYPTION_KEY_PREVIOUS is not set.'
      : `The key before, ${rotation.previousKeyId}, can go: npx wrangler secret delete KEY_ENCRYPTION_KEY_PREVIOUS`,
  )
}

async function rotateLocal(): Promise<void> {
  console.log(`Changing the key of ${stateDir}; killed, it goes on when it is run again.`)
  sayResult(await rotateState(stateDir, progress()))
  say('The key before has been removed. Backups that were made before have it with them.')
}

try {
  // What the relay and its children write is for this user alone.
  process.umask(0o077)
  await (url === undefined ? rotateLocal() : rotateRemote(url))
} catch (error) {
  console.error(error instanceof RelayStartError ? error.message : error)
  process.exitCode = 1
}
