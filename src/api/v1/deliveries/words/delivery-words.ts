import { durationInWords } from '../../../../base/time.ts'
import type { DeliveryState } from '../../../../model/delivery.ts'
import { BREAKER_FAULTS_MIN } from '../../../../receiver/breaker.ts'
import type { WaitingFor } from '../../../../subscription/waiting-for.ts'
import { errorSentence } from '../attempt-texts.ts'
import { adviceOnFailure } from './failure-advice.ts'

/** A delivery's state, as far as a sentence about it depends on it. */
export type DeliveryFacts = {
  state: DeliveryState
  /** Why it was skipped. */
  skipReason: string | null
  isBlocked: boolean
  attempts: number
  /** The status and the error of the last attempt. */
  status: number | null
  error: string | null
  latencyMs: number | null
  /** Null for one that is over, or blocked. */
  waitingFor: WaitingFor | null
  nowMs: number
}

/** A delivery in words: what became of it, and what can be done; null where nothing needs to be. */
export type DeliveryWords = { summary: string; advice: string | null }

/** Says in a sentence or two what became of a delivery, and what a person can do about it. */
export function deliveryInWords(facts: DeliveryFacts): DeliveryWords {
  switch (facts.state) {
    case 'success':
      return { summary: successOf(facts), advice: null }
    case 'pending':
      return facts.waitingFor === null
        ? { summary: 'Not attempted yet.', advice: null }
        : waitingInWords(facts.waitingFor, facts)
    case 'failed':
      return failureInWords(facts)
    case 'skipped':
      return skipInWords(facts.skipReason)
  }
}

function successOf({ attempts, status, latencyMs }: DeliveryFacts): string {
  const when = attempts > 1 ? `at attempt ${attempts}` : 'at the first attempt'
  const answer = status === null ? '' : `: the receiver answered ${status}`
  return `Delivered ${when}${answer}${latencyMs === null ? '' : ` in ${latencyMs} ms`}.`
}

function failureInWords(facts: DeliveryFacts): DeliveryWords {
  const { attempts, waitingFor, isBlocked, status, nowMs } = facts
  const reason = reasonOf(facts)
  const tries = attempts === 1 ? 'one attempt' : `${attempts} attempts`
  if (isBlocked) {
    const summary = `Failed in ${tries}, and holds those behind it in its order: ${reason}.`
    return { summary, advice: 'Retry it, or cancel its event, so that the others can leave.' }
  }
  const advice = adviceOnFailure(facts)
  if (waitingFor === null) return { summary: `Failed for good after ${tries}: ${reason}.`, advice }
  if (waitingFor.reason === 'retry_after' && status !== null)
    return { summary: `${heldFor(waitingFor, nowMs)}: ${reason} with Retry-After.`, advice: null }
  if (waitingFor.reason === 'retry') {
    const next = `The next follows${waitingFor.untilMs === null ? '' : ` in ${leftOf(waitingFor, nowMs)}`}.`
    return { summary: `Attempt ${attempts} failed: ${reason}. ${next}`, advice }
  }
  const waiting = waitingInWords(waitingFor, facts)
  return {
    summary: `Attempt ${attempts} failed: ${reason}. ${waiting.summary}`,
    advice: waiting.advice ?? advice,
  }
}

/** The error of the last attempt as the end of a sentence. */
function reasonOf({ error, status }: DeliveryFacts): string {
  const sentence = error === null ? null : errorSentence(error, status)
  if (sentence === null) return status === null ? 'no answer came' : `the receiver answered ${status}`
  return sentence.charAt(0).toLowerCase() + sentence.slice(1, -1)
}

function waitingInWords(waiting: WaitingFor, { nowMs }: Pick<DeliveryFacts, 'nowMs'>): DeliveryWords {
  const plain = (summary: string) => ({ summary, advice: null })
  switch (waiting.reason) {
    case 'paused':
      return {
        summary: 'Held: the subscription is paused.',
        advice: 'Resume the subscription to let its deliveries leave.',
      }
    case 'retry_after':
      return plain(`${heldFor(waiting, nowMs)}: the receiver asked for it with Retry-After.`)
    case 'breaker':
      return {
        summary:
          waiting.untilMs === null
            ? 'Held while another delivery tries the receiver again.'
            : `${heldFor(waiting, nowMs)}: ${BREAKER_FAULTS_MIN} faults of the receiver in a row opened the breaker.`,
        advice: 'See why the receiver fails. Once it works, resume the subscription to try it at once.',
      }
    case 'retry':
      return plain(`The next attempt follows in ${leftOf(waiting, nowMs)}.`)
    case 'schedule':
      return plain(`Scheduled: leaves in ${leftOf(waiting, nowMs)}.`)
    case 'order':
      return plain('Waits for the deliveries before it in its order.')
    case 'batch':
      return plain(
        waiting.untilMs === null
          ? 'Waits for its batch to leave.'
          : `Gathers with others in a batch that leaves in ${leftOf(waiting, nowMs)} at the latest.`,
      )
    case 'limit':
      return plain('Waits for its turn under the rate limit or the concurrency of the subscription.')
    case 'turn':
      return plain('Is about to be attempted.')
  }
}

function heldFor(waiting: WaitingFor, nowMs: number): string {
  return waiting.untilMs === null ? 'Held' : `Held for ${leftOf(waiting, nowMs)}`
}

function leftOf({ untilMs }: WaitingFor, nowMs: number): string {
  return durationInWords(Math.max(0, (untilMs ?? nowMs) - nowMs))
}

function skipInWords(reason: string | null): DeliveryWords {
  switch (reason) {
    case 'disabled':
      return {
        summary: 'Not delivered: the subscription is disabled.',
        advice: 'Enable the subscription, then replay what it has missed.',
      }
    case 'deleted':
      return { summary: 'Not delivered: the subscription has been deleted.', advice: null }
    case 'gone':
      return {
        summary: 'Not delivered: the receiver answered 410 Gone, which disabled the subscription.',
        advice: 'Enable the subscription once its URL is right, then replay what it has missed.',
      }
    case 'expired':
      return {
        summary: 'Not delivered: it expired before it could be.',
        advice: 'Replay it where it still matters: a replay passes expiry.',
      }
    case 'cancelled':
      return { summary: 'Not delivered: its event was cancelled or erased.', advice: null }
    case 'blocked':
      return { summary: 'Not delivered: the destination is not allowed.', advice: null }
    default:
      return { summary: 'Not delivered.', advice: null }
  }
}
