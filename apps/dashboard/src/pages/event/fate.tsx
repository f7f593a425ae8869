import { useEffect, useRef } from 'react'
import { Link, useLocation } from 'react-router'
import type { Schemas } from '../../api/schemas.ts'
import { Explain } from '../../components/explain.tsx'
import { deliveryInWords } from '../../words/delivery.ts'
import { withoutScheme } from '../../words/subscription.ts'
import { Attempts } from './attempts.tsx'
import { RetryButton } from './retry-button.tsx'

/** An event at one subscription: delivered, on its way, or why not. */
export function Fate({ fate }: { fate: Schemas['EventDelivery'] }) {
  const { delivery, explanation, rules = [] } = fate
  const { hash } = useLocation()
  const isMeant = delivery !== null && hash === `#${delivery.id}`
  const row = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (isMeant) row.current?.scrollIntoView({ block: 'nearest' })
  }, [isMeant])
  return (
    <li ref={row} className={`flex flex-col gap-2 p-4 ${isMeant ? 'bg-kumo-tint' : ''}`}>
      <div className="flex flex-wrap items-start justify-between gap-2">
        <Link to={`/subscriptions/${fate.webhookId}`} className="font-medium wrap-anywhere hover:underline">
          {withoutScheme(fate.url)}
        </Link>
        {delivery && <RetryButton delivery={delivery} />}
      </div>
      {delivery ? (
        <Explain words={deliveryInWords(delivery)} />
      ) : (
        <Explain words={{ tone: 'off', label: 'Not sent', sentence: explanation ?? '' }} />
      )}
      {rules.length > 0 && (
        <ul className="list-disc pl-5 text-kumo-subtle">
          {rules.map(({ rule, message }) => (
            <li key={`${rule} ${message}`}>
              <code className="text-sm">{rule}</code>: {message}
            </li>
          ))}
        </ul>
      )}
      {delivery && delivery.attempts.length > 0 && (
        <Attempts deliveryId={delivery.id} attempts={delivery.attempts} />
      )}
    </li>
  )
}
