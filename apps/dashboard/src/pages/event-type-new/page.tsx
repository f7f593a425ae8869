import { EMPTY_DRAFT } from '../../components/event-type-form/draft.ts'
import { EventTypeForm } from '../../components/event-type-form/form.tsx'
import { Page as Frame } from '../../components/page.tsx'

/** Describes a type that the catalogue does not know. */
export function Page() {
  return (
    <Frame
      title="New event type"
      lead="So that receivers know what comes, and publishers what to send."
      back={{ to: '/event-types', label: 'Event types' }}
    >
      <EventTypeForm initial={EMPTY_DRAFT} isNew />
    </Frame>
  )
}
