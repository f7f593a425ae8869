import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ownRelay } from '../../support/process/own-relay.ts'
import { expectShown, readPage, Shell, type Shown } from '../support/doc-page.ts'

/** How long an answer may take to become what a page shows: deliveries go on after a publish was answered. */
const PATIENCE_MS = 15_000

/** Pages that are read one after the other, with one relay. */
describe.each([
  [
    [
      ...['README.md', 'docs/publish.md', 'docs/api.md', 'docs/subscribe.md', 'docs/batches.md'],
      ...['docs/retries.md', 'docs/diagnosing.md'],
    ],
  ],
  [['docs/access.md', 'docs/migrating.md', 'docs/shaping.md', 'docs/assistants.md']],
])('%s', (pages) => {
  const stage = ownRelay('docs')
  let shell: Shell

  beforeAll(() => {
    for (const at of ['/hooks', '/large', '/orders', '/one-off']) {
      stage.receiver.script(at, { status: 200, body: 'Event processed successfully' })
    }
    shell = new Shell()
  })

  afterAll(() => shell?.close())

  test.each(pages)('the commands of %s are answered as it shows', async (page) => {
    const blocks = readPage(page)
    expect(blocks.length).toBeGreaterThan(2)
    for (const block of blocks) await check(page, block)
  })

  async function check(page: string, { line, commands, answer }: Shown): Promise<void> {
    const { relay, receiver } = stage
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
