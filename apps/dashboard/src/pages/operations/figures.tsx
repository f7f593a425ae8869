import { Banner } from '@cloudflare/kumo/components/banner'
import { WarningIcon } from '@phosphor-icons/react'
import type { Schemas } from '../../api/schemas.ts'
import { Figure } from '../../components/figure.tsx'
import { Time } from '../../components/time.tsx'
import { bytesInWords } from '../../words/bytes.ts'
import { atLeast, countOf, numberInWords } from '../../words/numbers.ts'

/** What an operator looks at first. */
export function Figures({ status }: { status: Schemas['WholeStatus'] }) {
  const { subscriptions, backlog, relay } = status
  const { database, queues } = relay
  const known = queues.flatMap(({ messages }) => (messages === null ? [] : [messages]))
  const waiting = known.reduce((sum, messages) => sum + messages, 0)
  const { oldestDueAt } = backlog
  return (
    <>
      {database.message !== null && (
        <Banner
          variant={database.state === 'full' ? 'error' : 'alert'}
          icon={<WarningIcon weight="fill" aria-hidden />}
          title="The database is filling up"
          description={sentenceOf(database.message)}
        />
      )}
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure
          label="Database"
          value={`${database.percent} %`}
          note={`${database.bytes === null ? 'size not known' : bytesInWords(database.bytes)} of ${bytesInWords(database.maxBytes)}`}
        />
        <Figure
          label="In queues"
          value={known.length === 0 ? 'not known' : numberInWords(waiting)}
          note={known.length < queues.length ? 'as far as the platform says' : 'hints that wait'}
        />
        <Figure
          label="Due now"
          value={atLeast(backlog.due)}
          note={
            oldestDueAt === null ? (
              'nothing waits to be sent'
            ) : (
              <>
                the oldest since <Time at={oldestDueAt} />
              </>
            )
          }
        />
        <Figure
          label="Subscriptions"
          value={`${numberInWords(subscriptions.active)}${subscriptions.isMinimum ? '+' : ''}`}
          note={
            subscriptions.failing === 0
              ? 'none of them failing'
              : `${countOf(subscriptions.failing, 'of them fails', 'of them fail')} now`
          }
        />
      </div>
    </>
  )
}

function sentenceOf(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
}
