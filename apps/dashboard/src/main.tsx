import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { takePortalToken } from './api/credential.ts'
import { App } from './app/app.tsx'
import { applyTheme } from './app/theme.ts'
import './styles.css'

applyTheme()
takePortalToken()

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no #root.')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
