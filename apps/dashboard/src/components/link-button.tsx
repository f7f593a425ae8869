import { buttonVariants } from '@cloudflare/kumo/components/button'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

type LinkButtonProps = { to: string; isPrimary?: boolean; children: ReactNode }

/** A way to another page, as conspicuous as a button. */
export function LinkButton({ to, isPrimary = false, children }: LinkButtonProps) {
  return (
    <Link to={to} className={buttonVariants({ variant: isPrimary ? 'primary' : 'secondary' })}>
      {children}
    </Link>
  )
}
