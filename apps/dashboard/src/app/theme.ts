import { useSyncExternalStore } from 'react'
import { storageOf } from '../api/storage.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const STORED_AT = 'posthorn.theme'
const systemIsDark = window.matchMedia('(prefers-color-scheme: dark)')
const store = storageOf('localStorage')
const listeners = new Set<() => void>()
/** Kept here as well: a page without storage has its choice until it is left. */
let current = read()

/** Sets the page's colours by the choice of this browser's user, or the system's; follows the system when it changes. */
export function applyTheme(): void {
  show()
  systemIsDark.addEventListener('change', show)
}

export function setTheme(theme: Theme): void {
  current = theme
  store?.setItem(STORED_AT, theme)
  show()
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, chosen)
}

/** True while the page is dark, for what draws on a canvas. */
export function useIsDark(): boolean {
  return useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, isDark)
}

function chosen(): Theme {
  return current
}

function read(): Theme {
  const stored = store?.getItem(STORED_AT)
  return THEMES.find((theme) => theme === stored) ?? 'system'
}

function isDark(): boolean {
  return current === 'system' ? systemIsDark.matches : current === 'dark'
}

function show(): void {
  document.documentElement.dataset['mode'] = isDark() ? 'dark' : 'light'
  for (const listener of listeners) listener()
}
