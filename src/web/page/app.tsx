import {useCallback, useEffect, useMemo, useRef, useState} from 'preact/hooks'
import type {Lists, Problem} from '../planner/protocol.ts'
import type {AnswerDocument} from '../documents/index.ts'
import {fieldOf, OF_SOME, type Words} from '../question/fields.ts'
import {labelOf} from '../question/labels.ts'
import {linkOf, type PageState, stateOfLink, VIEWS, type View} from '../question/link.ts'
import {PASTED_FILE, shellWords, wordsOfCommand} from '../question/scenario.ts'
import {type Actions, AnswerView, Code, StartView} from '../views/index.tsx'
import {found} from './combobox.tsx'
import {type Loaded, openLine} from './client.ts'
import {CopyButton, SaveButton} from './copy.tsx'
import type {Form} from './fields.tsx'
import {partsOf} from './parts.ts'
import {QuestionForm} from './question.tsx'
import {ThemeButton} from './theme.tsx'

const TITLES: Record<View, string> = {
  check: 'Does it fit?',
  models: 'What fits here?',
  plan: 'Best plan',
  compare: 'Compare checkpoints',
  capacity: 'How many machines?',
}

interface AppProps {
  loaded: Loaded
  first: PageState
  /** What `detect --json` prints of the computer that serves the page. */
  here: string | undefined
}

interface Shown {
  document?: AnswerDocument
  problems: Problem[]
  machine?: string
  /** From the question to the answer. */
  milliseconds: number
  /** The link whose question this answers. */
  link: string
  /** Which question of the page's life it was. */
  number: number
}

/** A frame: what several fields change at once is one question. */
const SETTLE_MS = 16

export function App({loaded, first, here}: AppProps) {
  const lines = useMemo(() => {
    const parts = partsOf(loaded)
    return {quick: openLine(loaded, parts), search: openLine(loaded, parts)}
  }, [loaded])
  const [lists, setLists] = useState<Lists | undefined>()
  const [state, setState] = useState(first)
  const [shown, setShown] = useState<Shown | undefined>()
  const [busy, setBusy] = useState(true)
  const at = useRef(0)
  const own = useRef('')

  useEffect(() => {
    void lines.quick.lists().then(setLists)
  }, [lines])

  // An address that was changed by hand, or by going back, asks anew.
  useEffect(() => {
    const onHash = () => {
      if (location.hash !== own.current) void stateOfLink(location.hash).then(setState)
    }
    addEventListener('hashchange', onHash)
    return () => removeEventListener('hashchange', onHash)
  }, [])

  useEffect(() => {
    const mine = ++at.current
    setBusy(true)
    const timer = setTimeout(async () => {
      const link = await linkOf(state)
      if (mine !== at.current) return
      own.current = `#${link}`
      if (location.hash !== own.current) history.replaceState(null, '', own.current)
      const began = performance.now()
      const {view, words, pasted} = state
      const line = view === 'check' ? lines.quick : lines.search
      const reply = await line.ask({view, words, ...(pasted !== undefined && {pasted})})
      if (!reply || mine !== at.current) return
      const milliseconds = performance.now() - began
      const problems = 'problems' in reply ? reply.problems : []
      const document = 'document' in reply ? reply.document : undefined
      setShown({problems, ...(document && {document}), ...('machine' in reply && {machine: reply.machine}), milliseconds, link, number: mine})
      setBusy(false)
    }, SETTLE_MS)
    return () => clearTimeout(timer)
  }, [state, lines])

  const set = useCallback((changed: Words) => setState((before) => ({...before, words: withWords(before.words, changed)})), [])
  const paste = useCallback(
    (text: string | undefined) =>
      setState(({pasted: _before, ...before}) =>
        text === undefined ? before : {...before, pasted: text, words: withWords(before.words, {gpu: '', machine: '', link: ''})},
      ),
    [],
  )
  const step = (change: (before: PageState) => PageState) => {
    // What was pressed can be undone by going back.
    history.pushState(null, '', location.hash)
    setState(change)
  }
  const actions: Actions = {
    apply: (command) => {
      const words = wordsOfCommand(command)
      if (words) step((before) => placed({...before, words: {...pageWords(before.words), ...words}}))
    },
    addFlags: (flags) => step((before) => placed({...before, words: withFlags(before.words, flags)})),
    useGpu: (gpu) =>
      step(({pasted: _pasted, ...before}) => ({
        ...before,
        words: withWords(before.words, {gpu, machine: '', link: '', nodes: '', ...NO_LAYOUT, 'gpu-memory-utilization': ''}),
      })),
    useModel: (model) => step((before) => ({...before, view: 'check', words: withWords(before.words, {model, weights: ''})})),
    useWords: (words) => step((before) => ({...before, view: 'check', words: withWords(before.words, words)})),
    press: (flag, value) => {
      if (value === undefined) showField(flag)
      else step((before) => placed({...before, words: withFlags(before.words, `--${flag} ${value}`)}))
    },
  }
  const problems = shown?.problems ?? []
  const byFlag = new Map(problems.flatMap(({flag, message}) => (flag === undefined ? [] : [[flag, withoutFlag(message)] as const])))
  const form: Form = {words: state.words, set, problems: byFlag}
  const document = shown?.document
  const start = document?.kind === 'check' ? document.start : undefined
  const about = (pattern: RegExp) => problems.find(({code, flag}) => flag === undefined && pattern.test(code))?.message
  return (
    <>
      <header>
        <h1>servefit</h1>
        <p>Does this model fit, how fast is it under my load, and what do I start?</p>
        <div class="tools">
          {here === undefined && <CopyButton text={() => location.href} label="Copy link" />}
          <ThemeButton />
        </div>
      </header>
      <nav aria-label="What is asked">
        {VIEWS.map((view) => (
          <button key={view} type="button" aria-current={view === state.view ? 'page' : undefined} onClick={() => setState((before) => ({...before, view}))}>
            {TITLES[view]}
          </button>
        ))}
      </nav>
      <div class="columns">
        {lists && (
          <QuestionForm
            form={form}
            lists={lists}
            view={state.view}
            pasted={state.pasted}
            paste={paste}
            here={here}
            answered={shown?.machine}
            modelProblem={byFlag.get('model') ?? about(/^(MODEL|REPOSITORY)/)}
            machineProblem={about(/^(GPU|MACHINE|NO_GPU|LINK)/)}
          />
        )}
        <main aria-busy={busy} data-answer={shown?.number} data-link={shown?.link} data-milliseconds={shown?.milliseconds.toFixed(1)}>
          <p class="unseen" role="status">
            {busy ? 'working' : document ? spoken(document) : (problems[0]?.message ?? '')}
          </p>
          <p class="working" aria-hidden="true">
            {busy && 'working …'}
          </p>
          {problems.length > 0 && (
            <Problems
              problems={problems}
              set={set}
              words={state.words}
              lists={lists}
              lookForModels={() => setState((before) => ({...before, view: 'models'}))}
            />
          )}
          {document && (
            <>
              <AnswerView document={document} actions={actions} />
              {start && (
                <StartView
                  start={start}
                  format={start.formats.some(({id}) => id === state.format) ? state.format : 'command'}
                  choose={(format) => setState((before) => ({...before, format}))}
                  copy={(text, name) => (
                    <>
                      <CopyButton text={text} />
                      {name !== undefined && <SaveButton name={name} text={text} />}
                    </>
                  )}
                />
              )}
              <Elsewhere document={document} />
            </>
          )}
        </main>
      </div>
      <Peek document={document} problems={problems} />
      <footer>
        <p>
          Everything is worked out in this page: nothing is sent anywhere, and the link in the address bar shows the same again. Estimates come with intervals
          that hold about four measurements in five.
        </p>
      </footer>
    </>
  )
}

/** What the page itself remembers beside a command's words. */
const pageWords = (words: Words): Words => Object.fromEntries(Object.entries(words).filter(([flag]) => OF_SOME.has(flag)))
const NO_LAYOUT: Words = {tp: '', pp: '', dp: '', ep: '', 'dp-attention': ''}

const withWords = (before: Words, changed: Words): Words => Object.fromEntries(Object.entries({...before, ...changed}).filter(([, value]) => value !== ''))

/** A pasted machine stays the one that is asked about, unless the command names another. */
function placed(state: PageState): PageState {
  const {machine, ...words} = state.words
  if (machine === PASTED_FILE) return {...state, words}
  const {pasted: _pasted, ...others} = state
  return state.words.gpu || machine ? others : state
}

/** `--slo-tpot-ms 60`, `--gpu 4xh100-sxm`, `without a fixed layout`. */
function withFlags(words: Words, flags: string): Words {
  const changed: Record<string, string> = {}
  if (/\bwithout\b/.test(flags)) Object.assign(changed, NO_LAYOUT)
  const parts = shellWords(flags)
  for (const [index, word] of parts.entries()) {
    const name = /^--([\w-]+)$/.exec(word)?.[1]
    const field = name === undefined ? undefined : fieldOf(name)
    if (!field) continue
    if (field.flag === 'gpu') Object.assign(changed, {machine: '', nodes: '', link: ''})
    changed[field.flag] = field.isSwitch ? 'yes' : (parts[index + 1] ?? '')
  }
  return withWords(words, changed)
}

/** `--tp x: expected a whole number` beside the field of that name. */
const withoutFlag = (message: string): string => message.replace(/^--[\w-]+(?: .*?)?: (?=expected )/s, '')

/** Which flag a name belongs to that was not known. */
const FLAG_OF_CODE: readonly (readonly [RegExp, string])[] = [
  [/^MODEL/, 'model'],
  [/^GPU/, 'gpu'],
  [/^MACHINE/, 'machine'],
  [/^WEIGHTS/, 'weights'],
  [/^KV_CACHE/, 'kv-cache'],
  [/^ENGINE_VERSION/, 'engine-version'],
  [/^ENGINE/, 'engine'],
]

const MOST_ALIKE = 4

/** Names of the list that hold what was typed. */
function alike(about: string | undefined, words: Words, lists: Lists | undefined): string[] {
  const choices = about === 'model' ? lists?.models : about === 'machine' ? lists?.machines : about === 'gpu' ? lists?.gpus : undefined
  const typed = (words[about ?? ''] ?? '').replace(/^\d+[x×]/, '')
  if (!choices || typed === '') return []
  return found(choices, typed)
    .slice(0, MOST_ALIKE)
    .map(({value}) => value)
}

interface ProblemsProps {
  problems: readonly Problem[]
  set(words: Words): void
  words: Words
  lists: Lists | undefined
  lookForModels(): void
}

function Problems({problems, set, words, lists, lookForModels}: ProblemsProps) {
  return (
    <section class="card verdict bad" aria-labelledby="problem-title">
      <h2 id="problem-title">This cannot be answered yet</h2>
      {problems.map(({code, message, suggestions, flag}) => {
        const about = flag ?? FLAG_OF_CODE.find(([pattern]) => pattern.test(code))?.[1]
        const near = suggestions.length > 0 ? suggestions : alike(about, words, lists)
        const take = (name: string) => {
          if (about === undefined) return
          const unknown = /"([^"]+)"/.exec(message)?.[1]
          // A machine that is compared with the one of the form is named in a field of its own.
          if (unknown !== undefined && words.beside?.includes(unknown)) set({beside: words.beside.replace(unknown, () => name)})
          else set({[about]: about === 'gpu' ? `${/^\d+[x×]/.exec(words.gpu ?? '')?.[0] ?? ''}${name}` : name})
        }
        return (
          <div key={`${code} ${message}`}>
            <p class="reason" data-code={code}>
              {flag === undefined ? message : `${labelOf(flag)}: ${withoutFlag(message)}`}
            </p>
            {code === 'MODEL_MISSING' && (
              <p>
                <button type="button" onClick={lookForModels}>
                  Which models fit this machine?
                </button>
              </p>
            )}
            {about !== undefined && near.length > 0 && (
              <p>
                Did you mean{' '}
                {near.map((name) => (
                  <button key={name} type="button" class="apply" onClick={() => take(name)}>
                    {name}
                  </button>
                ))}
              </p>
            )}
          </div>
        )
      })}
    </section>
  )
}

/** The same question on a command line, and the answer for programs. */
function Elsewhere({document}: {document: AnswerDocument}) {
  const data = document.kind === 'check' ? document.result : document.kind === 'compare' ? document.groups.flatMap(({rows}) => rows) : document.report
  return (
    <section class="card">
      <h2>Elsewhere</h2>
      <p>
        The same on a command line <CopyButton text={document.command} />
      </p>
      <Code text={document.command} label="the same on a command line" wraps />
      <Data data={data} />
    </section>
  )
}

function Data({data}: {data: unknown}) {
  const [open, setOpen] = useState(false)
  return (
    <details class="data" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As JSON</summary>
      {open && (
        <>
          <CopyButton text={JSON.stringify(data, undefined, 2)} />
          <Code text={JSON.stringify(data, undefined, 2)} label="the answer as JSON" />
        </>
      )}
    </details>
  )
}

/** The answer in one sentence, for whoever hears the page. */
function spoken(document: AnswerDocument): string {
  switch (document.kind) {
    case 'check':
      return `${document.verdict.word}: ${document.title}, ${document.verdict.as}`
    case 'plan':
      return `${document.report.met ? 'best' : 'no plan'}: ${document.headline}`
    case 'compare':
      return document.groups.map(({words}) => words.advice ?? words.none ?? '').join(' ')
    case 'capacity':
      return document.words.best[0] ?? document.words.problems[0] ?? ''
    case 'models':
      return `${document.title}: ${document.rows.length} listed${document.rows[0] ? `, ${document.rows[0].name} first` : ''}`
  }
}

/** The answer in a few words, with the tone of its verdict. */
function inShort(document: AnswerDocument): {tone: string; word: string; text: string} {
  switch (document.kind) {
    case 'check':
      return {tone: document.verdict.tone, word: document.verdict.word, text: document.verdict.headline ?? document.verdict.reasons[0] ?? ''}
    case 'plan':
      return {tone: document.report.met ? 'good' : 'bad', word: document.report.met ? 'best' : 'no plan', text: document.headline}
    case 'compare':
      return {tone: '', word: '', text: spoken(document)}
    case 'capacity':
      return {tone: document.report.feasible ? 'good' : 'bad', word: '', text: spoken(document)}
    case 'models':
      return {tone: document.rows.length > 0 ? 'good' : 'bad', word: '', text: spoken(document)}
  }
}

/** Where the answer stands below the question, on a narrow screen: what it is, while it cannot be seen. */
function Peek({document, problems}: {document: AnswerDocument | undefined; problems: readonly Problem[]}) {
  const [away, setAway] = useState(false)
  useEffect(() => {
    const main = globalThis.document.querySelector('main')
    if (!main || typeof IntersectionObserver === 'undefined') return
    const observer = new IntersectionObserver(([entry]) => setAway(entry !== undefined && !entry.isIntersecting), {rootMargin: '0px 0px -120px 0px'})
    observer.observe(main)
    return () => observer.disconnect()
  }, [])
  const short = document ? inShort(document) : {tone: 'bad', word: '', text: problems[0]?.message ?? ''}
  if (!away || short.text === '') return null
  return (
    <button type="button" class={`peek ${short.tone}`} onClick={() => globalThis.document.querySelector('main')?.scrollIntoView()}>
      <span>
        {short.word !== '' && <b class="word">{short.word}</b>} {short.text}
      </span>
    </button>
  )
}

/** Brings the field of a flag into view, opening what it lies in. */
function showField(flag: string): void {
  const own = globalThis.document.querySelector<HTMLElement>(`.question [name="${flag}"]`)
  // A machine may be given another way than the field that is there now.
  const field = own ?? globalThis.document.querySelector<HTMLElement>('.ways input:checked')
  for (let around = field?.closest('details'); around; around = around.parentElement?.closest('details')) around.open = true
  field?.scrollIntoView({block: 'center'})
  field?.focus()
}
