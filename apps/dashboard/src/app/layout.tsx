import { Button } from '@cloudflare/kumo/components/button'
import { ListIcon, XIcon } from '@phosphor-icons/react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useLocation } from 'react-router'
import { useLook } from '../api/look.ts'
import { Brand } from './brand.tsx'
import { Navigation } from './navigation.tsx'

/** The frame of all pages: navigation at the side, or behind a button where there is no room for it. */
export function Layout({ children }: { children: ReactNode }) {
  const [isOpen, setIsOpen] = useState(false)
  const { pathname } = useLocation()
  const { accentColor } = useLook()
  const main = useRef<HTMLElement>(null)
  const shown = useRef(pathname)
  useEffect(() => {
    if (shown.current === pathname) return
    shown.current = pathname
    setIsOpen(false)
    // Those who use a keyboard or a screen reader are led to the new page.
    main.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [pathname])
  return (
    <div
      ref={(frame) => frame?.style.setProperty('--accent', accentColor)}
      className="isolate min-h-dvh bg-kumo-canvas text-kumo-default before:fixed before:inset-x-0 before:top-0 before:z-30 before:h-[3px] before:bg-(--accent) lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]"
    >
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-kumo-base px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-20 flex items-center justify-between border-b border-kumo-hairline bg-kumo-base px-4 py-2 lg:hidden">
        <Brand />
        <Button
          variant="ghost"
          shape="square"
          icon={isOpen ? <XIcon /> : <ListIcon />}
          aria-label={isOpen ? 'Close the menu' : 'Open the menu'}
          aria-expanded={isOpen}
          aria-controls="navigation"
          onClick={() => setIsOpen(!isOpen)}
        />
      </header>
      <aside
        id="navigation"
        className={`${isOpen ? 'block' : 'hidden'} border-b border-kumo-hairline bg-kumo-base lg:sticky lg:top-0 lg:block lg:h-dvh lg:border-r lg:border-b-0`}
      >
        <Navigation />
      </aside>
      <main ref={main} id="main" tabIndex={-1} className="min-w-0 px-4 py-6 sm:px-6 lg:px-10 lg:py-8">
        <div className="mx-auto max-w-6xl">{children}</div>
      </main>
    </div>
  )
}
