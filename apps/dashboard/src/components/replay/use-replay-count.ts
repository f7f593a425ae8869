import { useQuery } from '@tanstack/react-query'
import { useDeferredValue } from 'react'
import { api } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'

/** Counts what a replay would send again now, without sending anything. */
export function useReplayCount(id: string, request: Schemas['ReplayRequest']) {
  const asked = useDeferredValue(request)
  return useQuery({
    queryKey: ['replay-count', id, asked],
    queryFn: async ({ signal }) => {
      const body = { ...asked, dryRun: true }
      const { data } = await api.POST('/api/v1/webhooks/{id}/replay', {
        params: { path: { id } },
        ...{ body, signal },
      })
      if (data === undefined || !('count' in data.data)) throw new Error('The relay gave no count.')
      return data.data
    },
    // Another question has another answer: the last one is not shown for it.
    placeholderData: () => undefined,
    retry: false,
  })
}
