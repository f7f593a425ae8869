import { Banner } from '@cloudflare/kumo/components/banner'
import { CheckCircleIcon } from '@phosphor-icons/react'
import { useEffect, useRef } from 'react'
import { CopyButton } from './json/json-view.tsx'

type ShownOnceProps = {
  title: string
  /** Why it is to be copied now, and for how long it is good. */
  description: string
  text: string
  copyLabel: string
}

/** A secret that no other answer shows; those who do not see the page are led to it. */
export function ShownOnce({ title, description, text, copyLabel }: ShownOnceProps) {
  const place = useRef<HTMLDivElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: each secret is a new one to look at
  useEffect(() => place.current?.focus(), [text])
  return (
    <div ref={place} tabIndex={-1}>
      <Banner
        icon={<CheckCircleIcon weight="fill" aria-hidden />}
        title={title}
        description={
          <>
            {description}
            <span className="mt-2 flex min-w-0 flex-wrap items-center gap-2">
              <code className="text-sm wrap-anywhere">{text}</code>
              <CopyButton text={text} label={copyLabel} />
            </span>
          </>
        }
      />
    </div>
  )
}
