import { lazy, Suspense, useState } from 'react'
import type { ConfirmDialogProps } from './confirm-box.tsx'

/** The library's dialog is loaded with the first question. */
const ConfirmBox = lazy(async () => ({ default: (await import('./confirm-box.tsx')).ConfirmBox }))

/** Asks once before something is done that cannot be undone. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  // It stays once it was open: it is the box that gives the focus back.
  const [wasOpen, setWasOpen] = useState(props.isOpen)
  if (props.isOpen && !wasOpen) setWasOpen(true)
  if (!wasOpen) return null
  return (
    <Suspense>
      <ConfirmBox {...props} />
    </Suspense>
  )
}
