import { buttonVariants } from '@cloudflare/kumo/components/button'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

type LinkButtonProps = { to: string; isPrimary?: boolean; children: ReactNode }

/** A way to another page, as conspicuous as a button. */
export function LinkButton({ to, isPrimary = false, children }: LinkButtonProps) {
  // The library's button sets these two colours by itself, its variants do not.
  const colours =
    '[--kumo-button-emphasis-bg:var(--color-kumo-brand)] [--kumo-button-emphasis-ring:var(--color-kumo-brand)]'
  const variant = buttonVariants({ variant: isPrimary ? 'primary' : 'secondary' })
  return (
    <Link to={to} className={isPrimary ? `${variant} ${colours}` : variant}>
      {children}
    </Link>
  )
}
