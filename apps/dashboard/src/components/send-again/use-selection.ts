import { useState } from 'react'
import type { Selection } from '../list/data-table.tsx'
import type { ListedDelivery } from '../list/delivery-table.tsx'

/** The deliveries that are chosen: they stay so when newer ones push them off the page, or another page is turned to. */
export function useSelection(rows: readonly ListedDelivery[]) {
  const [byId, setById] = useState<ReadonlyMap<string, ListedDelivery>>(new Map())
  const now = new Map(rows.map((row) => [row.id, row]))
  const selection: Selection<ListedDelivery> = {
    chosen: new Set(byId.keys()),
    choose: (keys, isChosen) => {
      const next = new Map(byId)
      for (const key of keys) {
        const row = now.get(key)
        if (isChosen && row !== undefined) next.set(key, row)
        else next.delete(key)
      }
      setById(next)
    },
    nameOf: ({ event, url, webhookName }) => `${event} to ${webhookName || url}`,
  }
  // As they are now: one may have arrived since it was chosen.
  const chosen = [...byId.values()].map((row) => now.get(row.id) ?? row)
  return { chosen, selection, clear: () => setById(new Map()) }
}
