import assert from 'node:assert/strict'
import type { Answer, Received } from '../../../test/support/receivers/receiver.ts'
import { example } from '../examples.ts'
import type { Check } from '../row.ts'
import { type Json, type LogRow, retryInSeconds, type Scene } from '../scene.ts'

/** An event: its text, or an object. */
export type Event = object | string

/** The event arrives at a subscription with these settings, and what arrives passes `see`. */
export function arrives(settings: Json, event: Event, see: (got: Received) => string | undefined): Check {
  return async (scene) => {
    await scene.subscribe(settings)
    await scene.publish(event)
    const got = await scene.arrival()
    return see(got) ?? `arrived, ${got.body.length} bytes`
  }
}

/** Events, each with whether it goes to a subscription with these settings. */
export function goes(settings: Json, ...cases: [event: Event, isMatched: boolean][]): Check {
  return async (scene) => {
    await scene.subscribe(settings)
    for (const [event, isMatched] of cases) {
      const { matched } = await scene.publish(event)
      assert.equal(matched, isMatched ? 1 : 0, JSON.stringify(event))
    }
    const wanted = cases.filter(([, isMatched]) => isMatched).length
    if (wanted > 0) await scene.arrival(wanted)
    return `${wanted} of ${cases.length} events went to it`
  }
}

/** A delivery whose receiver answers so has this row in the log. */
export function ends(settings: Json, answer: Answer, see: (row: LogRow) => string | undefined): Check {
  return async (scene) => {
    const row = await outcomeOf(scene, settings, answer)
    return see(row) ?? `${row.status}, attempt ${row.attemptCount}, next in ${retryInSeconds(row)} s`
  }
}

/** Each of these answers, at a receiver of its own, has this outcome. */
export function endsEach(settings: Json, answers: readonly Answer[], see: (row: LogRow) => void): Check {
  return async (scene) => {
    const rows = answers.map(async (answer, n) => {
      const row = await outcomeOf(scene, settings, answer, `/${n}`)
      see(row)
      return `${row.responseCode ?? row.error}`
    })
    return (await Promise.all(rows)).join(', ')
  }
}

async function outcomeOf(scene: Scene, settings: Json, answer: Answer, at = ''): Promise<LogRow> {
  const event = settings['events'] === undefined ? `seed.case${at.slice(1)}` : example.typeOf(settings)
  scene.receiver.script(new URL(scene.url(at)).pathname, answer)
  const { id } = await scene.subscribe({ events: [event], ...settings, url: scene.url(at) })
  await scene.publish({ event, data: {} })
  return await scene.outcome(id)
}

/** A retry is due so many seconds after the first attempt, by the policy that the answer shows. */
export function retriesAfter(settings: Json, seconds: number, inForce: Json): Check {
  return async (scene) => {
    scene.answers(500)
    const subscription = await scene.subscribe(settings)
    assert.partialDeepStrictEqual(subscription['retryPolicyInForce'], inForce)
    await scene.publish({ event: 'entry_persisted', data: { id: '1' } })
    const row = await scene.outcome(subscription.id)
    assert.equal(row.status, 'failed')
    assert.equal(retryInSeconds(row), seconds)
    return `next in ${seconds} s; in force ${JSON.stringify(inForce)}`
  }
}

/** A call is refused with this status, and its text says this. */
export function refused(method: string, path: string, body: object, status: number, text: RegExp): Check {
  return async (scene) => {
    const reply = await scene.call(method, path, body)
    assert.equal(reply.status, status, reply.text)
    assert.match(reply.text, text)
    return `${status} ${reply.error.message.slice(0, 80)}`
  }
}

/** A subscription is taken as it stands in a seed, and shows this. */
export function taken(settings: Json, shows: Json): Check {
  return async (scene) => {
    const subscription = await scene.subscribe(settings)
    assert.partialDeepStrictEqual(subscription, shows)
    return JSON.stringify(shows).slice(0, 100)
  }
}
