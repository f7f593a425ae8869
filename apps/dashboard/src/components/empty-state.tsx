import { Empty } from '@cloudflare/kumo/components/empty'
import type { Icon } from '@phosphor-icons/react'
import type { ReactNode } from 'react'

type EmptyStateProps = {
  icon: Icon
  title: string
  /** What to do next. */
  description: string
  action?: ReactNode
}

/** Stands where there is nothing yet, and says what to do about it. */
export function EmptyState({ icon: Image, title, description, action }: EmptyStateProps) {
  return (
    <Empty
      className="border-0"
      icon={<Image size={40} className="text-kumo-inactive" aria-hidden />}
      title={title}
      description={description}
      contents={action}
    />
  )
}
