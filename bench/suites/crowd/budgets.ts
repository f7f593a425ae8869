/** Another tenant's publishes while one sends inputs that are legal and costly. */
import { COSTLY_INPUTS, type CostlyInput } from '../../fixtures/costly-inputs.ts'
import { Neighbour } from '../../fixtures/neighbour.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import type { Answer } from '../../harness/crowd/workspace.ts'
import { answerLines, type Line, line, neighbourLines } from '../../report/crowd-lines.ts'
import type { Row } from './row.ts'

/** An input is sent again as soon as it is answered, for so long. */
const SENDING_MS = 20_000
const SENDING_MS_MIN = 5_000
/** A delivery costs later than the answer to its publish. */
const AFTERMATH_MS = 5_000

export const BUDGETS_ROWS: readonly Row[] = COSTLY_INPUTS.map((input) => ({
  name: `budgets-${input.name}`,
  maxSeconds: 240,
  run: (stage) => measureInput(stage, input),
}))

async function measureInput(stage: Stage, input: CostlyInput): Promise<Line[]> {
  const neighbour = await Neighbour.settle(stage)
  const quiet = await neighbour.feelQuiet()
  const send = await input.prepare({
    workspace: stage.workspace('costly'),
    url: stage.sink.url('costly'),
    scaled: (count) => stage.scaled(count),
  })
  const { value: answers, felt } = await neighbour.feelDuring(async () => {
    const sent: Answer[] = []
    const endsAtMs = performance.now() + stage.scaled(SENDING_MS, SENDING_MS_MIN)
    do sent.push(...(await send()))
    while (performance.now() < endsAtMs && !stage.time.isOver)
    await stage.time.pause(stage.scaled(AFTERMATH_MS, 2_000))
    return sent
  })
  const slowestMs = Math.max(...answers.map(({ tookMs }) => tookMs))
  return [
    ...neighbourLines(felt, quiet),
    ...answerLines('calls of the tenant', answers),
    line('slowest call of the tenant', slowestMs, {
      ...{ unit: 'ms', by: { name: 'quiet', value: quiet.publishP50Ms } },
    }),
  ]
}
