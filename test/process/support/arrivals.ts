import { expect } from 'vitest'
import { type Received, type Receiver, waitUntil } from '../../support/receivers/receiver.ts'

/** Waits until so many requests of a path have been answered; fails the test when there are fewer, or more. */
export async function arrivals(receiver: Receiver, at: string, count: number): Promise<readonly Received[]> {
  const answered = () => receiver.requests(at).filter(({ status }) => status !== null).length
  await waitUntil(() => answered() >= count, 45_000)
  expect(receiver.requests(at)).toHaveLength(count)
  return receiver.requests(at)
}
