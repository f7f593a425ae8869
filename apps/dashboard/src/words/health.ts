import type { Schemas } from '../api/schemas.ts'
import { countOf } from './numbers.ts'
import { lengthInWords, relativeTime, timeOfDay } from './time.ts'

type Subscription = Schemas['Subscription']

/** How a state is coloured: it says how much a person is needed. */
export type Tone = 'good' | 'waiting' | 'warning' | 'bad' | 'off'

/** A state in a word or two, and in a sentence that says why, and what comes next. */
export type InWords = {
  tone: Tone
  label: string
  sentence: string
  /** What a person can do about it, where something has to be done. */
  advice?: string | null
}

/** How a subscription's receiver is doing. */
export function healthOf(subscription: Subscription, nowMs: number): InWords {
  if (!subscription.active) return disabled(subscription)
  if (subscription.pausedAt !== null)
    return {
      tone: 'warning',
      label: 'Paused',
      sentence: `Paused ${relativeTime(subscription.pausedAt, nowMs)}: events are kept, and go out once it is resumed.`,
    }
  return held(subscription, nowMs) ?? failing(subscription, nowMs) ?? fine(subscription, nowMs)
}

function disabled({ disabledReason, verification }: Subscription): InWords {
  const because = (label: string, sentence: string, tone: Tone = 'bad') => ({ tone, label, sentence })
  switch (disabledReason) {
    case 'gone':
      return because('Gone', 'Disabled: the receiver answered 410, that it wants no more events.')
    case 'failing':
      return because(
        'Disabled',
        'Disabled: the receiver had failed for too long. Mend it, then enable the subscription.',
      )
    case 'unverified':
      return because(
        'Unverified',
        `Nothing is sent before the receiver has answered a challenge.${verification?.problem ? ` ${verification.problem}` : ''}`,
        'warning',
      )
    default:
      return because(
        'Disabled',
        'Disabled by a person. Events that come meanwhile are not kept for it.',
        'off',
      )
  }
}

function held({ breaker }: Subscription, nowMs: number): InWords | null {
  const until = breaker.heldUntil === null ? '' : ` until ${timeOfDay(breaker.heldUntil, nowMs)}`
  switch (breaker.state) {
    case 'closed':
      return null
    case 'open':
      return {
        tone: 'bad',
        label: 'Held',
        sentence: `Held${until}: the receiver failed ${countOf(breaker.faultsInRow, 'time')} in a row. Nothing is lost.`,
      }
    case 'half_open':
      return {
        tone: 'warning',
        label: 'On trial',
        sentence: `One delivery at a time finds out if the receiver is back, after ${countOf(breaker.faultsInRow, 'failure')} in a row.`,
      }
    case 'throttled':
      return {
        tone: 'waiting',
        label: 'Asked to wait',
        sentence: `Waiting${until}: the receiver asked for it with Retry-After.`,
      }
  }
}

function failing({ failing: state }: Subscription, nowMs: number): InWords | null {
  if (state === null) return null
  return {
    tone: 'warning',
    label: 'Failing',
    sentence: `Failing for ${lengthInWords(nowMs - Date.parse(state.since))}, ${countOf(state.failedAttempts, 'attempt')} so far. It is disabled if that goes on: ${state.percent} % of its failure budget is spent.`,
  }
}

function fine({ statistics }: Subscription, nowMs: number): InWords {
  const { lastDelivery } = statistics
  if (lastDelivery === null) return { tone: 'off', label: 'New', sentence: 'Nothing has been delivered yet.' }
  return {
    tone: 'good',
    label: 'Healthy',
    sentence: `The last delivery succeeded ${relativeTime(lastDelivery, nowMs)}.`,
  }
}
