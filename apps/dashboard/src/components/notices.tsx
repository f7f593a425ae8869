import { Toasty, useKumoToastManager } from '@cloudflare/kumo/components/toast'
import type { ReactNode } from 'react'
import { messageOf } from '../api/problem.ts'

/** Where short notices of what was done come up. */
export function Notices({ children }: { children: ReactNode }) {
  return <Toasty>{children}</Toasty>
}

/** Tells that something was done, or why it was not. */
export function useNotices() {
  const toasts = useKumoToastManager()
  return {
    done: (title: string, description?: string) => {
      toasts.add({ title, variant: 'success', ...(description !== undefined && { description }) })
    },
    failed: (title: string, error: unknown) => {
      toasts.add({ title, description: messageOf(error), variant: 'error' })
    },
  }
}
