import type {ComponentChildren} from 'preact'
import {useId, useState} from 'preact/hooks'
import type {Lists} from '../planner/protocol.ts'
import type {Words} from '../question/fields.ts'
import {labelOf} from '../question/labels.ts'
import type {View} from '../question/link.ts'
import {Combobox} from './combobox.tsx'
import {type Form, Group, More, Select, Text} from './fields.tsx'

type Way = 'any' | 'cards' | 'machine' | 'figures' | 'paste'

const WAYS: readonly [Way, string][] = [
  ['any', 'Any'],
  ['cards', 'Cards'],
  ['machine', 'Machine'],
  ['figures', 'Figures'],
  ['paste', 'Paste'],
]

interface MachineProps {
  form: Form
  lists: Lists
  pasted: string | undefined
  paste(text: string | undefined): void
  /** What `detect --json` prints of the computer that serves the page. */
  here: string | undefined
  machineProblem: string | undefined
  view: View
  /** The machine of the last answer. */
  answered: string | undefined
  /** Further fields of this group. */
  children?: ComponentChildren
}

/** Words that name a machine. */
const NO_MACHINE: Words = {gpu: '', machine: '', link: ''}

function wayOf({gpu = '', machine = ''}: Words, pasted: string | undefined, view: View): Way {
  if (pasted !== undefined) return 'paste'
  if (machine !== '') return 'machine'
  if (gpu === '' && view === 'capacity') return 'any'
  return gpu.includes('=') ? 'figures' : 'cards'
}

/** `2xrtx-4090` as number and card; nothing for a mix of cards. */
function partsOf(gpu: string): {count: string; card: string} | undefined {
  if (gpu.includes(',') && !gpu.includes('=')) return undefined
  const match = /^(?:(\d*)[x×])?(.*)$/s.exec(gpu)
  return match ? {count: match[1] ?? '1', card: match[2] ?? ''} : undefined
}

/** Where: cards by name, a machine of the list, a card by its figures, or what a tool printed there. */
export function MachineFields({form, lists, pasted, paste, here, machineProblem: problem, view, answered, children}: MachineProps) {
  const [picked, setPicked] = useState<Way | undefined>()
  const given = wayOf(form.words, pasted, view)
  const way = picked === undefined || (picked === 'any' && view !== 'capacity') ? given : picked
  const pick = (next: Way) => {
    setPicked(next)
    if (next !== 'paste' && pasted !== undefined) paste(undefined)
    if (next === 'any') form.set({...NO_MACHINE, nodes: ''})
  }
  const name = useId()
  const stillAsked = way !== given && answered !== undefined && problem === undefined
  return (
    <Group title="Machine">
      <div class="tabs ways" role="radiogroup" aria-label="How the machine is given">
        {WAYS.filter(([id]) => id !== 'any' || view === 'capacity').map(([id, title]) => (
          <label key={id} class={id === way ? 'chosen' : undefined}>
            <input type="radio" name={name} value={id} checked={id === way} onChange={() => pick(id)} />
            {title}
          </label>
        ))}
      </div>
      {way === 'any' && <p class="hint">Machines that are sold or rented today are compared.</p>}
      {way === 'cards' && <Cards form={form} lists={lists} problem={problem} />}
      {way === 'machine' && (
        <Combobox
          label={labelOf('machine')}
          flag="machine"
          value={form.words.machine ?? ''}
          choices={lists.machines}
          change={(machine) => form.set({...NO_MACHINE, machine})}
          problem={form.problems.get('machine') ?? problem}
          hint="a server, a workstation or a cloud instance by name"
        />
      )}
      {way === 'figures' && <Figures form={form} problem={problem} />}
      {way === 'paste' && <Paste pasted={pasted} paste={paste} here={here} problem={problem} answered={answered} />}
      {stillAsked && <p class="hint">The answer is about {answered} until another machine is given here.</p>}
      {way !== 'paste' && way !== 'any' && (
        <More title="Links and nodes" flags={['link', 'nodes']} form={form} plain>
          {way === 'cards' && (
            <Select
              form={form}
              flag="link"
              unasked="as is usual for them"
              choices={[
                ['p2p', 'PCIe, peer to peer'],
                ['nvlink', 'NVLink'],
                ['pcie', 'PCIe through the host'],
              ]}
            />
          )}
          <Text form={form} flag="nodes" placeholder="1" hint="in one deployment" />
        </More>
      )}
      {children}
    </Group>
  )
}

function Cards({form, lists, problem}: {form: Form; lists: Lists; problem: string | undefined}) {
  const gpu = form.words.gpu ?? ''
  const parts = partsOf(gpu)
  // A number that was given before its card.
  const [number, setNumber] = useState('1')
  if (!parts) return <Text form={form} flag="gpu" hint="a mix, as 2xrtx-4090,1xrtx-3090" also={{machine: ''}} />
  const count = parts.card === '' ? number : parts.count
  const set = (next: string, card: string) => {
    setNumber(next)
    form.set({machine: '', gpu: card === '' ? '' : `${next}x${card}`})
  }
  return (
    <div class="count-and-card">
      <CountField value={count} change={(next) => set(next, parts.card)} />
      <Combobox
        label={labelOf('gpu')}
        flag="gpu"
        value={parts.card}
        choices={lists.gpus}
        change={(card) => (card.includes(',') || /^\d+x/i.test(card) ? form.set({machine: '', gpu: card}) : set(count || '1', card))}
        problem={form.problems.get('gpu') ?? problem}
      />
    </div>
  )
}

function CountField({value, change}: {value: string; change(count: string): void}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>Number</label>
      <input id={id} name="gpu-count" type="number" min={1} max={4096} value={value} onInput={(event) => change(event.currentTarget.value)} />
    </div>
  )
}

const FIGURES: readonly {key: string; label: string; unit: string; example: string}[] = [
  {key: 'memory', label: 'Memory, GiB', unit: 'GiB', example: '20'},
  {key: 'bandwidth', label: 'Bandwidth, GB/s', unit: 'GB/s', example: '760'},
  {key: 'capability', label: 'CUDA compute capability', unit: '', example: '8.6'},
  {key: 'gfx', label: 'or AMD gfx target', unit: '', example: 'gfx1100'},
]

/** A card that no list has, by what its data sheet says. */
function Figures({form, problem}: {form: Form; problem: string | undefined}) {
  const {count, card} = partsOf(form.words.gpu ?? '') ?? {count: '1', card: ''}
  const given = new Map(
    card
      .replace(/^[^:]*:/, '')
      .split(',')
      .filter((pair) => pair.includes('='))
      .map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
  const others = [...given].filter(([key]) => !FIGURES.some((figure) => figure.key === key))
  const set = (number: string, figures: ReadonlyMap<string, string>) => {
    const pairs = [...figures].filter(([, value]) => value !== '').map(([key, value]) => `${key}=${value}`)
    form.set({machine: '', gpu: `${number || '1'}xcard:${pairs.length > 0 ? pairs.join(',') : 'memory='}`})
  }
  const id = useId()
  return (
    <>
      <div class="pairs">
        <CountField value={count} change={(number) => set(number, given)} />
        {FIGURES.map(({key, label, unit, example}) => (
          <div key={key} class="field">
            <label for={`${id}-${key}`}>{label}</label>
            <input
              id={`${id}-${key}`}
              name={`figure-${key}`}
              type="text"
              autocomplete="off"
              placeholder={example}
              value={(given.get(key) ?? '').replace(new RegExp(`${unit.replace('/', '\\/')}$`), '')}
              onInput={(event) => {
                const value = event.currentTarget.value.trim().replaceAll(/[,=:]/g, '')
                set(count, new Map([...given, [key, value === '' ? '' : `${value}${/^[\d.]+$/.test(value) ? unit : ''}`]]))
              }}
            />
          </div>
        ))}
      </div>
      {others.length > 0 && <p class="hint">also given: {others.map(([key, value]) => `${key}=${value}`).join(', ')}</p>}
      {problem !== undefined && <p class="problem">{problem}</p>}
    </>
  )
}

interface PasteProps extends Pick<MachineProps, 'pasted' | 'paste' | 'here' | 'answered'> {
  problem: string | undefined
}

const TOOLS =
  'nvidia-smi (also -q, -q -x, -L, topo -m, --query-gpu), amd-smi, rocm-smi, rocminfo, xpu-smi, npu-smi, hl-smi, lspci -nn, system_profiler, or servefit detect --json; several after one another. '

function Paste({pasted, paste, here, problem, answered}: PasteProps) {
  const id = useId()
  const isRead = pasted !== undefined && problem === undefined && answered !== undefined
  return (
    <>
      {here !== undefined && (
        <button type="button" onClick={() => paste(here)}>
          This computer
        </button>
      )}
      <div class="field">
        <label for={id}>What a tool printed there</label>
        <textarea
          id={id}
          name="pasted"
          rows={8}
          spellcheck={false}
          value={pasted ?? ''}
          placeholder="nvidia-smi; nvidia-smi topo -m"
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-note`}
          onInput={(event) => paste(event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
        />
        {isRead && (
          <p class="hint found">
            Read: <b>{answered}</b>
          </p>
        )}
        <p id={`${id}-note`} class={problem === undefined ? 'hint' : 'problem'}>
          {/* All of a problem stands beside the form. */}
          {problem?.split(/: expected |; |\. /)[0] ??
            `${isRead ? '' : TOOLS}The text stays in this page and in its link: leave out what a link should not tell.`}
        </p>
      </div>
    </>
  )
}
