/** A receiver of little capacity: PHP's own server, one request at a time, 300 ms each. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { publishBulk, sampleEvent } from '../../fixtures/bulk.ts'
import { timeoutsOf } from '../../fixtures/receiver-health.ts'
import { unixMs } from '../../harness/crowd/sink-group.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import { freePort, run } from '../../harness/processes.ts'
import { type Line, line } from '../../report/crowd-lines.ts'
import type { Row } from './row.ts'

const EVENTS = 100
const WORK_MS = 300
const WAIT_MS = 150_000

/** Takes the request, works, and only then notes the event as done. */
const RECEIVER = `<?php
if ($_SERVER['REQUEST_METHOD'] !== 'POST') { echo 'ready'; return; }
file_get_contents('php://input');
usleep(${WORK_MS * 1_000});
file_put_contents(__DIR__ . '/done.log', $_SERVER['HTTP_WEBHOOK_ID'] . "\\n", FILE_APPEND);
echo 'OK';
`

export const PHP_ROWS: readonly Row[] = [{ name: 'php', maxSeconds: 180, run: measurePhp }]

async function measurePhp(stage: Stage): Promise<Line[]> {
  if (!(await hasPhp())) {
    stage.time.cut('skipped: there is no php on this machine')
    return []
  }
  const { url, done } = await startPhp(stage)
  const workspace = stage.workspace('crowd')
  const id = await workspace.subscribe({ url, events: ['*'] })
  const events = stage.scaled(EVENTS)
  const { startedAtMs, accepted } = await publishBulk(stage, workspace, {
    events,
    make: (n) => sampleEvent(n),
  })
  const isComplete = await stage.time.until(async () => new Set(done()).size >= accepted.length, {
    what: () => `${new Set(done()).size} of ${accepted.length} were handled`,
    withinMs: WAIT_MS,
  })
  const tookS = isComplete ? (unixMs() - startedAtMs) / 1_000 : null
  const ownTime = { name: "the receiver's own time", value: (events * WORK_MS) / 1_000 }
  const handled = done()
  return [
    line('until all events were handled', tookS, { unit: 's', by: ownTime }),
    line('attempts that timed out', await stage.tryRead(() => timeoutsOf(workspace, id))),
    line('events handled more than once', handled.length - new Set(handled).size),
  ]
}

async function hasPhp(): Promise<boolean> {
  return await run('php', ['--version']).then(
    () => true,
    () => false,
  )
}

/** Starts the receiver; `done` gives the ids of what it has handled, each as often as it was. */
async function startPhp(stage: Stage): Promise<{ url: string; done: () => string[] }> {
  const folder = path.join(stage.processes.directory, `${stage.name}-receiver`)
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'index.php'), RECEIVER)
  writeFileSync(path.join(folder, 'done.log'), '')
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}/index.php`
  const child = stage.processes.start({
    ...{ name: `${stage.name}-server`, command: 'php', args: ['-S', address, '-t', folder] },
    // More workers would make another receiver of it.
    env: { PHP_CLI_SERVER_WORKERS: '' },
  })
  await stage.processes.ready(child, async () => (await fetch(url)).ok)
  const done = () => readFileSync(path.join(folder, 'done.log'), 'utf8').split('\n').filter(Boolean)
  return { url, done }
}
