import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { Receiver } from '../../support/receivers/receiver.ts'
import { expectShown, readPage, Shell, type Shown } from '../support/doc-page.ts'

/** How long an answer may take to become what a page shows: deliveries go on after a publish was answered. */
const PATIENCE_MS = 15_000

/** Pages that are read one after the other, with one relay. */
describe.each([
  [['README.md', 'docs/api.md']],
  [['docs/access.md']],
  [['docs/shaping.md']],
  [['docs/migrating.md']],
])('%s', (pages) => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-docs-'))
  let relay: RelayProcess
  let receiver: Receiver
  let shell: Shell

  beforeAll(async () => {
    receiver = await Receiver.start()
    for (const at of ['/hooks', '/large', '/orders', '/one-off']) {
      receiver.script(at, { status: 200, body: 'Event processed successfully' })
    }
    relay = await RelayProcess.start({ stateDir })
    shell = new Shell()
  })

  afterAll(async () => {
    shell?.close()
    await relay?.stop()
    await receiver?.close()
    rmSync(stateDir, { recursive: true, force: true })
  })

  test.each(pages)('the commands of %s are answered as it shows', async (page) => {
    const blocks = readPage(page)
    expect(blocks.length).toBeGreaterThan(2)
    for (const block of blocks) await check(page, block)
  })

  async function check(page: string, { line, commands, answer }: Shown): Promise<void> {
    const asked = commands
      .replaceAll('http://127.0.0.1:8787', relay.url)
      .replaceAll('posthorn_local_admin', relay.adminKey)
      .replaceAll('http://127.0.0.1:3000', receiver.url(''))
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const output = await shell.run(asked)
      try {
        judge(output, answer?.replaceAll('http://127.0.0.1:3000', receiver.url('')) ?? null)
        return
      } catch (error) {
        const changesNothing = !/ -(X|d) /.test(commands)
        if (!changesNothing || Date.now() > deadline) {
          throw new Error(`${page}, line ${line}:\n${commands}\nprints\n${output}`, { cause: error })
        }
      }
      await sleep(100)
    }
  }

  /** Every answer is a success unless the page shows otherwise; the one it shows is the last. */
  function judge(output: string, shown: string | null): void {
    // curl ends its output without a line break; a quoted brace inside an answer is escaped.
    const answers = output.split(/\n|(?<=\})(?=\{"success":)/).filter((text) => text.startsWith('{'))
    const last = shown === null ? undefined : answers.pop()
    for (const answer of answers) expect(JSON.parse(answer)).toMatchObject({ success: true })
    if (shown !== null) expectShown(JSON.parse(last ?? output), shown)
  }
})
