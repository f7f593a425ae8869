import { CompassIcon } from '@phosphor-icons/react'
import { Link } from 'react-router'
import { EmptyState } from '../../components/empty-state.tsx'
import { Page } from '../../components/page.tsx'

/** Stands at addresses that are no page, or none that this caller may see. */
export function NotFound() {
  return (
    <Page title="No such page">
      <EmptyState
        icon={CompassIcon}
        title="There is nothing at this address"
        description="Or it is a page that your key has no right to."
        action={
          <Link to="/" className="text-kumo-link underline">
            Go to the overview
          </Link>
        }
      />
    </Page>
  )
}
