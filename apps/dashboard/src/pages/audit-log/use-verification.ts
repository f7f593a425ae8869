import { useEffect, useRef, useState } from 'react'
import { api } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import type { Log } from './log.ts'

/** What a verification has found so far; `checked` counts the rows of all its steps. */
export type Verdict = Schemas['AuditVerification'] & { isWhole: boolean }

type State = { verdict: Verdict | null; isRunning: boolean; error: unknown }
const QUIET: State = { verdict: null, isRunning: false, error: null }

/** Verifies a log step by step until its end or a break. It ends with the page, or when it is stopped. */
export function useVerification(log: Log) {
  const [state, setState] = useState(QUIET)
  const running = useRef<AbortController | null>(null)
  useEffect(() => () => running.current?.abort(), [])
  const start = async (noted: string) => {
    running.current?.abort()
    const controller = new AbortController()
    const { signal } = controller
    running.current = controller
    setState({ ...QUIET, isRunning: true })
    try {
      for await (const verdict of stepsOf(log, { noted, signal })) {
        if (signal.aborted) return
        setState({ verdict, isRunning: !verdict.isWhole, error: null })
      }
    } catch (error) {
      if (!signal.aborted) setState((before) => ({ ...before, isRunning: false, error }))
    }
  }
  const stop = () => {
    running.current?.abort()
    setState((before) => ({ ...before, isRunning: false }))
  }
  return { ...state, start, stop }
}

type Steps = { noted: string; signal: AbortSignal }

async function* stepsOf(log: Log, { noted, signal }: Steps): AsyncGenerator<Verdict> {
  let cursor: string | undefined
  let checked = 0
  while (true) {
    const step = await verifyStep({ log, noted, cursor }, signal)
    checked += step.data.checked
    cursor = step.pagination?.nextCursor ?? undefined
    const isWhole = cursor === undefined || !step.data.intact
    yield { ...step.data, checked, isWhole }
    if (isWhole) return
  }
}

type Step = { log: Log; noted: string; cursor: string | undefined }

async function verifyStep({ log, noted, cursor }: Step, signal: AbortSignal) {
  const query = { log, ...(noted !== '' && { noted }), ...(cursor !== undefined && { cursor }) }
  const { data } = await api.GET('/api/v1/audit-log/verify', { params: { query }, signal })
  if (data === undefined) throw new Error('The relay gave no verification.')
  return data
}
