import { Button } from '@cloudflare/kumo/components/button'
import { Dialog, DialogDescription, DialogRoot, DialogTitle } from '@cloudflare/kumo/components/dialog'
import { type ReactNode, useState } from 'react'
import { Problem } from './problem.tsx'

export type ConfirmDialogProps = {
  isOpen: boolean
  onClose: () => void
  title: string
  /** What will happen, and what will not. */
  description: ReactNode
  /** The verb of what is done: "Delete", not "OK". */
  verb: string
  isDestructive?: boolean
  onConfirm: () => Promise<unknown>
}

/** The question itself. A refusal is shown here, where it can be tried again. */
export function ConfirmBox(props: ConfirmDialogProps) {
  const { isOpen, onClose, title, description, verb, isDestructive = false, onConfirm } = props
  const [state, setState] = useState<{ isBusy: boolean; error: unknown }>({ isBusy: false, error: null })
  const confirm = async () => {
    setState({ isBusy: true, error: null })
    try {
      await onConfirm()
      setState({ isBusy: false, error: null })
      onClose()
    } catch (error) {
      setState({ isBusy: false, error })
    }
  }
  return (
    <DialogRoot open={isOpen} onOpenChange={(open: boolean) => !open && onClose()}>
      <Dialog className="flex flex-col gap-4 p-6">
        <DialogTitle className="text-lg font-semibold">{title}</DialogTitle>
        <DialogDescription className="text-kumo-subtle">{description}</DialogDescription>
        {state.error !== null && <Problem error={state.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant={isDestructive ? 'destructive' : 'primary'}
            loading={state.isBusy}
            onClick={() => void confirm()}
          >
            {verb}
          </Button>
        </div>
      </Dialog>
    </DialogRoot>
  )
}
