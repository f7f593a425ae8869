import { Loader } from '@cloudflare/kumo/components/loader'

/** Stands where something is being loaded. */
export function Waiting({ label }: { label: string }) {
  return (
    <output className="flex min-h-40 items-center justify-center gap-2 text-kumo-subtle">
      <Loader size={16} />
      {label} …
    </output>
  )
}
