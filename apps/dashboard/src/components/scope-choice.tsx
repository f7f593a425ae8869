import type { Session } from '../api/session.ts'

export type Scope = Session['scopes'][number]

type ScopeChoiceProps = {
  /** Those that the caller may give. */
  offered: readonly Scope[]
  chosen: readonly Scope[]
  onChange: (chosen: Scope[]) => void
}

/** A choice of scopes, among those that the caller has. */
export function ScopeChoice({ offered, chosen, onChange }: ScopeChoiceProps) {
  const isChosen = (scope: Scope) => chosen.includes(scope)
  const toggle = (scope: Scope) =>
    onChange(offered.filter((each) => (each === scope ? !isChosen(each) : isChosen(each))))
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="font-medium">Scopes</legend>
      <div className="grid gap-x-4 gap-y-1 sm:grid-cols-2 lg:grid-cols-3">
        {offered.map((scope) => (
          <label key={scope} className="flex cursor-pointer items-center gap-2">
            <input type="checkbox" checked={isChosen(scope)} onChange={() => toggle(scope)} />
            <code className="text-sm">{scope}</code>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
