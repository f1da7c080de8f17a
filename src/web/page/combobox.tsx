import {useId, useMemo, useRef, useState} from 'preact/hooks'
import type {Choice} from '../planner/protocol.ts'

interface ComboboxProps {
  label: string
  value: string
  choices: readonly Choice[]
  change(value: string): void
  problem?: string
  hint?: string
  flag: string
}

const MOST_SHOWN = 40
const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9.]+/g, ' ')

/** Choices with all words of what was typed: what is called so first, then what begins so, has the words as words, or has them anywhere. */
export function found(choices: readonly Choice[], typed: string): Choice[] {
  const words = plain(typed).trim().split(' ').filter(Boolean)
  if (words.length === 0) return choices.slice(0, MOST_SHOWN)
  const asked = words.join(' ')
  const ranked: {choice: Choice; rank: number}[] = []
  for (const choice of choices) {
    const own = plain(`${choice.value} ${choice.title}`)
    const names = [choice.value, choice.title, ...choice.names].map((name) => plain(name).trim())
    if (!words.every((word) => `${own} ${names.join(' ')} ${plain(choice.note)}`.includes(word))) continue
    ranked.push({choice, rank: rankOf({asked, words, own, names})})
  }
  return ranked
    .sort((a, b) => a.rank - b.rank || a.choice.value.length - b.choice.value.length)
    .slice(0, MOST_SHOWN)
    .map(({choice}) => choice)
}

/** What was typed, as the list calls it where it is another spelling of one name. */
export function called(choices: readonly Choice[], typed: string): string {
  const own = plain(typed).trim()
  if (own === '' || choices.some(({value}) => value === typed)) return typed
  const alike = choices.filter(({value, title}) => plain(value).trim() === own || plain(title).trim() === own)
  return alike.length === 1 ? alike[0]!.value : typed
}

function rankOf({asked, words, own, names}: {asked: string; words: readonly string[]; own: string; names: readonly string[]}): number {
  if (names.includes(asked)) return 0
  if (own.startsWith(asked)) return 1
  if (words.every((word) => ` ${own}`.includes(` ${word}`))) return 2
  return words.every((word) => own.includes(word)) ? 3 : 4
}

/** A field that searches a list while one types, by keyboard too (ARIA Authoring Practices, combobox with list). */
export function Combobox({label, value, choices, change, problem, hint, flag}: ComboboxProps) {
  const id = useId()
  const [typed, setTyped] = useState<string | undefined>()
  const [at, setAt] = useState(-1)
  const list = useRef<HTMLDivElement>(null)
  const open = typed !== undefined
  const shown = useMemo(
    () => (typed === undefined ? [] : found(choices, typed === value && choices.some((choice) => choice.value === value) ? '' : typed)),
    [typed, value, choices],
  )
  const close = () => {
    setTyped(undefined)
    setAt(-1)
  }
  const take = (choice: string) => {
    close()
    change(choice)
  }
  const move = (to: number) => {
    setAt(to)
    list.current?.children[to]?.scrollIntoView({block: 'nearest'})
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      if (!open) setTyped(value)
      else if (shown.length > 0) move((at + (event.key === 'ArrowDown' ? 1 : -1) + shown.length) % shown.length)
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (open) take(shown[at]?.value ?? called(choices, typed))
    } else if (event.key === 'Escape') close()
  }
  const chosen = open && at >= 0 ? `${id}-${at}` : undefined
  return (
    <div class="field combobox">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={flag}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        aria-expanded={open && shown.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={chosen}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined && hint === undefined ? undefined : `${id}-note`}
        value={typed ?? value}
        onInput={(event) => {
          setTyped(event.currentTarget.value)
          setAt(-1)
        }}
        onFocus={(event) => event.currentTarget.select()}
        onClick={() => setTyped(value)}
        onBlur={() => {
          if (typed !== undefined && typed !== value) take(called(choices, typed))
          else close()
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} class="choices" role="listbox" tabIndex={-1} aria-label={label} ref={list} hidden={!open || shown.length === 0}>
        {shown.map((choice, index) => (
          <div
            key={choice.value}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onMouseDown={(event) => {
              event.preventDefault()
              take(choice.value)
            }}
          >
            <span>{choice.value}</span> <span class="aside">{choice.title === choice.value ? choice.note : `${choice.title}, ${choice.note}`}</span>
          </div>
        ))}
      </div>
      {(problem !== undefined || hint !== undefined) && (
        <p id={`${id}-note`} class={problem === undefined ? 'hint' : 'problem'}>
          {problem ?? hint}
        </p>
      )}
    </div>
  )
}
