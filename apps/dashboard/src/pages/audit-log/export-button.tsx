import { Button } from '@cloudflare/kumo/components/button'
import { DownloadSimpleIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { useNotices } from '../../components/notices.tsx'
import { saveFile } from './save-file.ts'

const NDJSON = 'application/x-ndjson'

type Filters = { log: 'workspace' | 'relay'; actor?: string; object?: string; action?: string } & Dates
type Dates = { dateFrom?: string; dateTo?: string }

/** Saves all rows that match as a file, one a line. */
export function ExportButton({ filters }: { filters: Filters }) {
  const notices = useNotices()
  const [isBusy, setIsBusy] = useState(false)
  const save = async () => {
    setIsBusy(true)
    try {
      const { data } = await api.GET('/api/v1/audit-log', {
        params: { query: filters, header: { Accept: NDJSON } },
        parseAs: 'blob',
      })
      if (data === undefined) throw new Error('The relay gave no export.')
      saveFile(data as Blob, 'audit-log.ndjson')
    } catch (error) {
      notices.failed('This was not exported', error)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <Button icon={<DownloadSimpleIcon />} loading={isBusy} onClick={() => void save()}>
      Export
    </Button>
  )
}
