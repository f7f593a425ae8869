import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export type ProcessInfo = { pid: number; parentPid: number; command: string }

/** Every process of this machine; empty where there is no `ps` (Windows, some containers). */
export function listProcesses(): ProcessInfo[] {
  let output: string
  try {
    output = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8', stdio: 'pipe' })
  } catch {
    return []
  }
  return output.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)
    return match ? [{ pid: Number(match[1]), parentPid: Number(match[2]), command: match[3] ?? '' }] : []
  })
}

/** Whether a process runs, without asking `ps`. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Kills a process at once and waits until it is gone; false if it still lives after five seconds. */
export async function endProcess(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    return !isAlive(pid)
  }
  for (let i = 0; i < 250 && isAlive(pid); i++) await sleep(20)
  return !isAlive(pid)
}

/** The workerd child of this process that listens on `port`. */
export function findWorkerd(port: number): ProcessInfo | undefined {
  return listProcesses().find(
    (info) => info.parentPid === process.pid && isWorkerd(info.command) && info.command.includes(`:${port} `),
  )
}

export function isWorkerd(command: string): boolean {
  return /(^|[/\\])workerd(\.exe)? serve /.test(command)
}
