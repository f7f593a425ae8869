import { Banner } from '@cloudflare/kumo/components/banner'
import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { InfoIcon } from '@phosphor-icons/react'
import { type FormEvent, useEffect, useState } from 'react'
import { endOfSession, queryClient } from '../../api/client.ts'
import { setCredential } from '../../api/credential.ts'
import { messageOf } from '../../api/problem.ts'
import { sessionOf } from '../../api/session.ts'

/** Asks for a credential, and shows it to the relay before it is kept. */
export function SignIn() {
  const [token, setToken] = useState('')
  const [state, setState] = useState<{ isBusy: boolean; error: string | null }>({
    isBusy: false,
    error: null,
  })
  const ended = endOfSession()
  useEffect(() => {
    document.title = 'Sign in · Posthorn'
  }, [])

  const signIn = async (event: FormEvent) => {
    event.preventDefault()
    const shown = token.trim()
    if (shown === '') return setState({ isBusy: false, error: 'Paste a key or an identity token.' })
    if (/\s/.test(shown))
      return setState({ isBusy: false, error: 'A key has no blanks in it. Copy it once more.' })
    setState({ isBusy: true, error: null })
    try {
      queryClient.setQueryData(['session'], await sessionOf(shown))
      setCredential({ token: shown, from: 'form' })
    } catch (error) {
      setState({ isBusy: false, error: messageOf(error) })
    }
  }

  return (
    <main className="flex min-h-dvh items-center justify-center bg-kumo-canvas p-4 text-kumo-default">
      <div className="flex w-full max-w-sm flex-col gap-5 rounded-xl bg-kumo-base p-6 ring ring-kumo-hairline sm:p-8">
        <div className="flex flex-col gap-4">
          <img src="/favicon.svg" alt="" width={40} height={40} />
          <div>
            <h1 className="text-xl font-semibold tracking-tight">Sign in to Posthorn</h1>
            <p className="mt-1 text-kumo-subtle">See what was sent, what was not, and why.</p>
          </div>
        </div>
        {ended !== null && state.error === null && (
          <Banner variant="alert" icon={<InfoIcon weight="fill" aria-hidden />} description={ended} />
        )}
        <form onSubmit={(event) => void signIn(event)} className="flex flex-col gap-4" noValidate>
          <Input
            label="Key or identity token"
            name="credential"
            type="password"
            autoComplete="off"
            spellCheck={false}
            autoFocus
            value={token}
            onChange={(event) => setToken(event.target.value)}
            description="Kept in this tab only, and forgotten when it is closed."
            {...(state.error !== null && { error: state.error })}
          />
          <Button type="submit" variant="primary" loading={state.isBusy} className="w-full justify-center">
            Sign in
          </Button>
        </form>
      </div>
    </main>
  )
}
