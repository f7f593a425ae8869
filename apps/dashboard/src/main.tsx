import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { openLink } from './api/client.ts'
import { App } from './app/app.tsx'
import { applyTheme } from './app/theme.ts'
import './styles.css'

applyTheme()
openLink()
// A second link in the same tab changes the fragment only, which loads nothing.
window.addEventListener('hashchange', openLink)

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no #root.')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
