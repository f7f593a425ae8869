import { styleText } from 'node:util'
import type { Output } from '../shell/shell.ts'

type Tone = 'good' | 'bad' | 'doubtful' | 'quiet' | 'strong'
const STYLES = {
  good: 'green',
  bad: 'red',
  doubtful: 'yellow',
  quiet: 'dim',
  strong: 'bold',
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>

/** Colours a text, where the output has colours. */
export type Paint = (tone: Tone, text: string) => string

export function paintFor({ hasColour }: Pick<Output, 'hasColour'>): Paint {
  return (tone, text) =>
    hasColour && text !== '' ? styleText(STYLES[tone], text, { validateStream: false }) : text
}

/** The tone of a delivery's status, a subscription's health, or a replay's state. */
export function toneOf(status: string): Tone {
  switch (status) {
    case 'success':
    case 'healthy':
    case 'completed':
    case 'accepted':
    case 'delivered':
      return 'good'
    case 'failed':
    case 'failing':
    case 'disabled':
    case 'rejected':
      return 'bad'
    case 'pending':
    case 'slow':
    case 'paused':
    case 'running':
    case 'unproven':
      return 'doubtful'
    default:
      return 'quiet'
  }
}
