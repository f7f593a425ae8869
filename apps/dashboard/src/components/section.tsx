import { LayerCard } from '@cloudflare/kumo/components/layer-card'
import { type ReactNode, useId } from 'react'

type SectionProps = {
  title: string
  actions?: ReactNode
  /** True for content that goes to the edges, as tables do. */
  isFlush?: boolean
  children: ReactNode
}

/** A part of a page under its own heading. */
export function Section({ title, actions, isFlush = false, children }: SectionProps) {
  const id = useId()
  return (
    <section aria-labelledby={id} className="min-w-0">
      <div className="mb-2 flex min-h-8 flex-wrap items-center justify-between gap-2">
        <h2 id={id} className="text-base font-semibold">
          {title}
        </h2>
        {actions}
      </div>
      <LayerCard className={isFlush ? 'overflow-hidden p-0' : 'p-4'}>{children}</LayerCard>
    </section>
  )
}
