import type {ComponentChildren} from 'preact'
import {useId} from 'preact/hooks'
import {ON, type Words} from '../question/fields.ts'
import {labelOf} from '../question/labels.ts'

/** What a form field needs: the words, how to change them, and what is wrong with each. */
export interface Form {
  words: Words
  set(changed: Words): void
  problems: ReadonlyMap<string, string>
}

interface TextProps {
  form: Form
  flag: string
  hint?: string
  placeholder?: string | undefined
  choices?: readonly string[]
  /** What else changes with it. */
  also?: Words
}

/** A field as a person types it: 2k, 8GiB, max. */
export function Text({form, flag, hint, placeholder, choices, also}: TextProps) {
  const id = useId()
  const problem = form.problems.get(flag)
  return (
    <div class="field">
      <label for={id}>{labelOf(flag)}</label>
      <input
        id={id}
        name={flag}
        type="text"
        autocomplete="off"
        spellcheck={false}
        {...(choices && {list: `${id}-list`})}
        placeholder={placeholder}
        value={form.words[flag] ?? ''}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined && hint === undefined ? undefined : `${id}-note`}
        onInput={(event) => form.set({...also, [flag]: event.currentTarget.value})}
      />
      {choices && (
        <datalist id={`${id}-list`}>
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
      {(problem !== undefined || hint !== undefined) && (
        <p id={`${id}-note`} class={problem === undefined ? 'hint' : 'problem'}>
          {problem ?? hint}
        </p>
      )}
    </div>
  )
}

/** One of a few; empty is what is chosen unasked. */
export function Select({form, flag, choices, unasked}: {form: Form; flag: string; choices: readonly (string | [string, string])[]; unasked: string}) {
  const id = useId()
  const problem = form.problems.get(flag)
  const value = form.words[flag] ?? ''
  const known = choices.map((choice): [string, string] => (typeof choice === 'string' ? [choice, choice] : choice))
  const shown: [string, string][] = value === '' || known.some(([own]) => own === value) ? known : [...known, [value, value]]
  return (
    <div class="field">
      <label for={id}>{labelOf(flag)}</label>
      <select id={id} name={flag} value={value} aria-invalid={problem !== undefined} onChange={(event) => form.set({[flag]: event.currentTarget.value})}>
        <option value="">{unasked}</option>
        {shown.map(([own, title]) => (
          <option key={own} value={own}>
            {title}
          </option>
        ))}
      </select>
      {problem !== undefined && <p class="problem">{problem}</p>}
    </div>
  )
}

export function Switch({form, flag}: {form: Form; flag: string}) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        name={flag}
        checked={(form.words[flag] ?? '') !== ''}
        onChange={(event) => form.set({[flag]: event.currentTarget.checked ? ON : ''})}
      />
      {labelOf(flag)}
    </label>
  )
}

export function Group({title, children}: {title: string; children: ComponentChildren}) {
  return (
    <fieldset class="group">
      <legend>{title}</legend>
      {children}
    </fieldset>
  )
}

/** What few people set. It stands open where one of its fields is set. */
export function More({
  title,
  flags,
  form,
  plain = false,
  children,
}: {
  title: string
  flags: readonly string[]
  form: Form
  plain?: boolean
  children: ComponentChildren
}) {
  const given = flags.filter((flag) => (form.words[flag] ?? '') !== '').length
  return (
    <details class={plain ? undefined : 'more'} open={given > 0}>
      <summary>
        {title} {given > 0 && <span class="aside">{given} set</span>}
      </summary>
      <div class="pairs">{children}</div>
    </details>
  )
}
