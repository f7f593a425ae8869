import { cpuUsage } from 'node:process'

/**
 * The processor's time that a call takes, in milliseconds. A bound on it holds on a busy machine too, where the clock
 * also runs while others have the processor.
 */
export function cpuMsOf(call: () => void): number {
  const before = cpuUsage()
  call()
  const { user, system } = cpuUsage(before)
  return (user + system) / 1_000
}
