import { isPosthornError, type Posthorn, type Schemas } from '../../../client/src/index.ts'
import { type AddCommand, action, type Context, examples } from '../command.ts'
import { type Paint, paintFor, toneOf } from '../render/colour.ts'
import { counted, plain, renderFields } from '../render/fields.ts'
import { oneLine } from '../render/table.ts'
import { relative } from '../render/time.ts'
import { write, writeJson } from '../render/write.ts'
import { whileTelling } from '../shell/progress.ts'
import { describeSession } from './login.ts'

type Figures = Schemas['WorkspaceStatistics']
type Seen = { url: string; session: Schemas['Session']; statistics: Figures | null }

/** `posthorn status`. */
export const addStatus: AddCommand = (parent, shell) => {
  parent
    .command('status')
    .summary('how the workspace is, and what needs a person')
    .description('Shows who you are, the last 24 hours, what waits, and what a person has to see to.')
    .addHelpText(
      'after',
      examples(['posthorn status'], ['posthorn status --json | jq .statistics.attention']),
    )
    .action(action(shell, status))
}

async function status(context: Context): Promise<void> {
  const { shell, call } = context
  const { posthorn, connection } = await context.connect()
  const seen = await whileTelling(shell, `Asking ${connection.url}`, async () => ({
    url: connection.url,
    session: await posthorn.session(call),
    statistics: await readStatistics(posthorn, context),
  }))
  if (context.isJson) return await writeJson(context, seen)
  await write(context, renderStatus(seen, { nowMs: shell.nowMs(), paint: paintFor(shell.out) }))
}

/** Null for a key that may not read deliveries. */
async function readStatistics(posthorn: Posthorn, { call }: Context): Promise<Figures | null> {
  try {
    return await posthorn.statistics({}, call)
  } catch (error) {
    if (isPosthornError(error) && error.code === 'forbidden') return null
    throw error
  }
}

/** Lays out what `posthorn status` shows. */
export function renderStatus(
  { url, session, statistics }: Seen,
  { nowMs, paint }: { nowMs: number; paint: Paint },
): string {
  const scopes = session.scopes.length > 0 ? session.scopes.join(' ') : null
  const head = renderFields(
    [
      ['Relay', `${url}, ${describeSession(session)}`],
      ['May', session.kind === 'operator' ? 'do everything' : scopes],
      ['Key ends', session.expiresAt && relative(session.expiresAt, nowMs)],
      ...(statistics === null ? [] : figures(statistics, { nowMs, paint })),
    ],
    paint,
  )
  return head + (statistics === null ? '' : attention(statistics, paint))
}

function figures(
  { totals, subscriptions, backlog }: Figures,
  { nowMs, paint }: { nowMs: number; paint: Paint },
): [string, string | null][] {
  const standings = Object.entries(subscriptions)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => paint(toneOf(name), `${count} ${name}`))
  const rate = totals.successRate === null ? '' : `, ${totals.successRate} % success`
  const failed = paint(totals.failed > 0 ? 'bad' : 'quiet', `${totals.failed} failed for good`)
  const { p50, p99 } = totals.latencyPercentiles
  const oldest =
    backlog.oldestDueAt === null ? '' : `, the oldest since ${relative(backlog.oldestDueAt, nowMs)}`
  return [
    ['Last 24 h', `${counted(totals.events ?? 0, 'event')}, ${totals.delivered} delivered, ${failed}${rate}`],
    ['Answers', p50 === null ? null : `${p50} ms at the median, ${p99} ms at the 99th percentile`],
    [
      'Waiting',
      `${pending(backlog.pending)}, ${pending(backlog.due)} due${oldest}, ${pending(backlog.held)} held`,
    ],
    ['Webhooks', standings.length === 0 ? 'none' : standings.join(', ')],
  ]
}

function pending({ count, isMinimum }: Schemas['WorkspaceStatistics']['backlog']['due']): string {
  return `${isMinimum ? 'over ' : ''}${count.toLocaleString('en-US')}`
}

function attention({ attention: all }: Figures, paint: Paint): string {
  if (all.length === 0) return `\n${paint('good', 'Nothing needs a person.')}\n`
  const lines = all.map(({ kind, webhookName, url, summary, nextStep }) => {
    const what = plain(webhookName) ?? plain(url) ?? 'the workspace'
    return `  ${paint(toneOf(kind), kind)}  ${what}\n    ${oneLine(summary)} ${paint('quiet', oneLine(nextStep))}\n`
  })
  return `\n${paint('strong', 'To be seen to by a person')}\n${lines.join('')}`
}
