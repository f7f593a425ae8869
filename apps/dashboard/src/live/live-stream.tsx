import { useEffect } from 'react'
import { StreamFollower } from './follow-stream.ts'
import { ToldRefetcher } from './refetch-told.ts'
import { setStreamOpen, useIsStreamOpen } from './stream-state.ts'

/** Follows the workspace's stream for all pages of the tab, while the tab is looked at. */
export function LiveStream() {
  useEffect(() => {
    const refetcher = new ToldRefetcher()
    const follower = new StreamFollower({
      onOpen: setStreamOpen,
      onTold: (told) => refetcher.take(told),
    })
    const follow = () => {
      if (document.visibilityState === 'visible') follower.start()
      else follower.stop()
    }
    follow()
    document.addEventListener('visibilitychange', follow)
    return () => {
      document.removeEventListener('visibilitychange', follow)
      follower.stop()
      refetcher.stop()
    }
  }, [])
  return null
}

/** Says if what is seen is told as it happens, or asked for. */
export function LiveState() {
  const isOpen = useIsStreamOpen()
  return (
    <p className="flex items-center gap-2 px-2 text-sm text-kumo-subtle">
      <span aria-hidden className={`size-2 rounded-full ${isOpen ? 'bg-kumo-success' : 'bg-kumo-fill'}`} />
      {isOpen ? 'Live' : 'Asks every few seconds'}
    </p>
  )
}
