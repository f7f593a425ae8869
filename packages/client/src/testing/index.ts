export { FakePosthorn, fake, type Predicate, type PublishedEvent } from './fake.ts'
export type { Answered } from './node-http.ts'
export {
  type ReceivedEvent,
  type ReceiverOptions,
  startReceiver,
  TestReceiver,
  type WaitOptions,
} from './receiver.ts'
