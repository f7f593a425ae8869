import type { RefusalCode } from '../index.ts'
import { type NewEvent, Posthorn } from '../index.ts'
import { FakeRelay } from './fake-relay.ts'

/** An event that was published to a fake, as JSON has it. */
export type PublishedEvent = Omit<NewEvent, 'id' | 'data'> & { id: string; data: Record<string, unknown> }

/** True for an event that is meant. */
export type Predicate = (event: PublishedEvent) => boolean

/** A client that publishes to memory, and says what was published. */
export class FakePosthorn extends Posthorn {
  readonly #relay: FakeRelay

  constructor(relay: FakeRelay = new FakeRelay()) {
    super({
      url: 'https://posthorn.invalid',
      key: 'fake',
      retries: { max: 0 },
      fetch: async (url, init) => await relay.answer(url, init),
    })
    this.#relay = relay
  }

  /** The events that were published, in their order, each once. */
  get published(): readonly PublishedEvent[] {
    return this.#relay.published
  }

  /** The same fake: all workspaces are one. */
  override in(): FakePosthorn {
    return this
  }

  /** Fails unless an event of the type was published that the predicate, if there is one, accepts. Answers the first. */
  assertPublished(type: string, predicate: Predicate = () => true): PublishedEvent {
    const ofType = this.published.filter(({ event }) => event === type)
    const found = ofType.find(predicate)
    if (found !== undefined) return found
    const others = ofType.length === 0 ? '' : ` that the predicate accepts, of ${ofType.length} of this type`
    throw new Error(`No ${type} was published${others}. ${this.#summary()}`)
  }

  /** Fails where such an event was published. */
  assertNotPublished(type: string, predicate: Predicate = () => true): void {
    const found = this.published.find((event) => event.event === type && predicate(event))
    if (found !== undefined) throw new Error(`${type} was published: ${JSON.stringify(found)}`)
  }

  /** Fails where anything was published. */
  assertNothingPublished(): void {
    if (this.published.length > 0) throw new Error(`Nothing was to be published. ${this.#summary()}`)
  }

  /** Refuses the next publishes, `times` of them, with an error of the relay. */
  failNext(code: RefusalCode, { times = 1 }: { times?: number } = {}): void {
    this.#relay.failNext(code, times)
  }

  /** Forgets what was published. */
  reset(): void {
    this.#relay.reset()
  }

  #summary(): string {
    if (this.published.length === 0) return 'Nothing was published.'
    return `Published: ${this.published.map(({ event }) => event).join(', ')}.`
  }
}

/** A client for tests: it publishes to memory. */
export function fake(): FakePosthorn {
  return new FakePosthorn()
}
