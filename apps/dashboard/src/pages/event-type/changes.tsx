import { Button } from '@cloudflare/kumo/components/button'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { queryClient, useMutation } from '../../api/client.ts'
import { type EventType, saveEventType, textsOf } from '../../api/event-type.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { useNotices } from '../../components/notices.tsx'

/** What can be done with a type of the catalogue by those who may change it. */
export function Changes({ type }: { type: EventType }) {
  return (
    <>
      <LinkButton to={`/event-types/${type.name}/edit`}>Edit</LinkButton>
      <Deprecation type={type} />
      <Removal name={type.name} />
    </>
  )
}

function Deprecation({ type }: { type: EventType }) {
  const notices = useNotices()
  const [isAsking, setIsAsking] = useState(false)
  const { name, deprecated } = type
  const change = async () => {
    await saveEventType(name, { ...textsOf(type), deprecated: !deprecated })
    notices.done(deprecated ? 'In use again' : 'Deprecated', name)
    await queryClient.invalidateQueries()
  }
  const description = deprecated
    ? 'It is shown as in use again.'
    : 'It is still taken and delivered. Who looks at it sees that it will go; where the catalogue is enforced, who publishes it is warned.'
  return (
    <>
      <Button onClick={() => setIsAsking(true)}>{deprecated ? 'Use it again' : 'Deprecate'}</Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={deprecated ? `Use ${name} again?` : `Deprecate ${name}?`}
        description={description}
        verb={deprecated ? 'Use it again' : 'Deprecate'}
        onConfirm={change}
      />
    </>
  )
}

function Removal({ name }: { name: string }) {
  const notices = useNotices()
  const navigate = useNavigate()
  const [isAsking, setIsAsking] = useState(false)
  const remove = useMutation('delete', '/api/v1/event-types/{name}')
  const removeNow = async () => {
    await remove.mutateAsync({ params: { path: { name } } })
    await navigate('/event-types')
    queryClient.removeQueries({ queryKey: ['event-type', name] })
    await queryClient.invalidateQueries()
    notices.done('Deleted', name)
  }
  return (
    <>
      <Button variant="secondary-destructive" onClick={() => setIsAsking(true)}>
        Delete
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={`Delete ${name} from the catalogue?`}
        description="Its schema and example are gone. Events of this type stay, and so do the subscriptions that want it. Where the workspace refuses unknown types, no more of them can be published."
        verb="Delete"
        isDestructive
        onConfirm={removeNow}
      />
    </>
  )
}
