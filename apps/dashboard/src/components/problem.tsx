import { Banner } from '@cloudflare/kumo/components/banner'
import { WarningCircleIcon } from '@phosphor-icons/react'
import { ApiProblem, messageOf } from '../api/problem.ts'

/** Says what was refused or failed, and offers to try again. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const requestId = error instanceof ApiProblem ? error.requestId : null
  return (
    <div role="alert">
      <Banner
        variant="error"
        icon={<WarningCircleIcon weight="fill" aria-hidden />}
        title={titleOf(error)}
        description={
          <>
            {messageOf(error)}
            {requestId !== null && <span className="block text-xs">Request {requestId}</span>}
          </>
        }
        action={
          onRetry && (
            <Banner.Action variant="secondary" onClick={onRetry}>
              Try again
            </Banner.Action>
          )
        }
      />
    </div>
  )
}

function titleOf(error: unknown): string {
  if (!(error instanceof ApiProblem)) return 'This cannot be shown'
  switch (error.status) {
    case 403:
      return 'You may not see this'
    case 404:
      return 'There is no such thing here'
    case 429:
      return 'Too many requests'
    default:
      return 'The relay refused this'
  }
}
