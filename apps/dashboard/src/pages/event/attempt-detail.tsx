import { type ReactNode, useState } from 'react'
import { useQuery } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { CopyButton, JsonView } from '../../components/json/json-view.tsx'
import { Problem } from '../../components/problem.tsx'
import { lengthInWords } from '../../words/time.ts'
import { curlOf } from './curl.ts'

type Detail = Schemas['AttemptDetail']

type AttemptDetailProps = { deliveryId: string; attempt: Schemas['Attempt'] }

/** What was sent and what came back, read when it is opened. */
export function AttemptDetail({ deliveryId, attempt }: AttemptDetailProps) {
  const [isOpen, setIsOpen] = useState(false)
  return (
    <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary className="w-fit cursor-pointer text-sm text-kumo-link">Request and answer</summary>
      {isOpen && <Read id={deliveryId} n={String(attempt.attempt)} />}
    </details>
  )
}

function Read({ id, n }: { id: string; n: string }) {
  const { data, error } = useQuery('get', '/api/v1/deliveries/{id}/attempts/{n}', {
    params: { path: { id, n } },
  })
  if (data === undefined) return error === null ? null : <Problem error={error} />
  const detail = data.data
  return (
    <div className="mt-2 flex min-w-0 flex-col gap-3">
      <p className="text-sm text-kumo-subtle">{timingsInWords(detail)}</p>
      {detail.advice !== null && <p>{detail.advice}</p>}
      <Request detail={detail} />
      {detail.responseHeaders !== null && (
        <Headers label="Headers of the answer" headers={detail.responseHeaders} />
      )}
      {detail.responseBody !== null && detail.responseBody !== '' && (
        <Boxed>
          <JsonView label="What the receiver answered" text={detail.responseBody} />
        </Boxed>
      )}
    </div>
  )
}

function Request({ detail: { request, requestMissing } }: { detail: Detail }) {
  if (request === null)
    return <p className="text-sm text-kumo-subtle">{MISSING[requestMissing ?? 'not_kept']}</p>
  return (
    <>
      <Boxed>
        <JsonView label="What was sent" text={request.body} />
      </Boxed>
      {request.headers !== null && <Headers label="Headers of the request" headers={request.headers} />}
      <span className="flex items-center gap-1 text-sm">
        <CopyButton text={curlOf(request)} label="Copy as curl" />
        Copy as curl, with secrets left out
      </span>
    </>
  )
}

const MISSING: Record<NonNullable<Detail['requestMissing']>, string> = {
  scope: 'What was sent is shown to those who may read events.',
  not_sent: 'No request was sent.',
  not_kept: 'What was sent is not kept any more: of each delivery the latest attempt is.',
  settings_changed: 'What was sent cannot be shown: the subscription has been changed since.',
  erased: 'What was sent was erased.',
  batch: 'It was sent in a batch, which is not kept.',
  unrenderable: 'What was sent cannot be made once more.',
}

const SCROLLED =
  'mt-1 max-h-64 overflow-auto rounded-md bg-kumo-recessed p-2 text-sm whitespace-pre-wrap wrap-anywhere'

function Headers({ label, headers }: { label: string; headers: Record<string, string> }) {
  const text = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
  return (
    <details>
      <summary className="w-fit cursor-pointer text-sm text-kumo-link">{label}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard. */}
      <pre tabIndex={0} className={SCROLLED}>
        {text}
      </pre>
    </details>
  )
}

function Boxed({ children }: { children: ReactNode }) {
  return <div className="overflow-hidden rounded-lg ring ring-kumo-hairline">{children}</div>
}

function timingsInWords({ timings, answeredBy }: Detail): string {
  const { waiting, firstByte, whole } = timings
  const parts = [
    waiting !== null && `${lengthInWords(waiting)} until it was sent`,
    firstByte !== null && `${lengthInWords(firstByte)} to the head of the answer`,
    whole !== null && `${lengthInWords(whole)} to its end`,
    answeredBy !== null && answeredBy !== 'receiver' && `answered by a ${answeredBy}, not by the receiver`,
  ]
  return `${parts.filter(Boolean).join(', ')}.`
}
