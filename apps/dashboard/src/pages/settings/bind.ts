import type { ChangeEvent } from 'react'
import type { Draft, FieldProblems } from './draft.ts'

export type FieldsProps = {
  draft: Draft
  problems: FieldProblems
  onChange: (part: Partial<Draft>) => void
}

type TextName = { [Name in keyof Draft]: Draft[Name] extends string ? Name : never }[keyof Draft]
type SwitchName = Exclude<keyof Draft, TextName>

/** Joins a field of text with its name: its text, its problem, and what changes it. */
export function bindTexts({ draft, problems, onChange }: FieldsProps) {
  return (name: TextName) => {
    const error = problems[name]
    return {
      name,
      value: draft[name],
      onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
        onChange({ [name]: event.target.value }),
      spellCheck: false,
      ...(error !== undefined && { error, 'aria-invalid': true }),
    }
  }
}

/** The same for a switch; its problem is shown below it. */
export function bindSwitches({ draft, onChange }: FieldsProps) {
  return (name: SwitchName) => ({
    name,
    checked: draft[name],
    onCheckedChange: (isOn: boolean) => onChange({ [name]: isOn }),
  })
}
