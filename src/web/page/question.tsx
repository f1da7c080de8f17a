import type {Lists} from '../planner/protocol.ts'
import type {View} from '../question/link.ts'
import {labelOf} from '../question/labels.ts'
import {Combobox} from './combobox.tsx'
import {type Form, Group, More, Select, Switch, Text} from './fields.tsx'
import {MachineFields} from './machine.tsx'

const WEIGHTS = ['bf16', 'fp8', 'fp8-block', 'int8', 'awq-int4', 'gptq-int4', 'nvfp4', 'mxfp4', 'native']
const KV_WORDS: readonly (string | [string, string])[] = ['auto', 'bf16', 'fp8', 'nvfp4', 'int8', 'int4']

const LIMITS = ['slo-ttft-ms', 'slo-tpot-ms', 'slo-e2e-ms', 'slo-percentile', 'objective', 'slo']
const FORMATS = ['engine', 'engine-version', 'weights', 'kv-cache', 'prefer']
const LAYOUT = ['tp', 'pp', 'dp', 'ep', 'dp-attention', 'decode-context-parallel']
const SETTINGS = [
  'max-num-seqs',
  'max-num-batched-tokens',
  'gpu-memory-utilization',
  'enforce-eager',
  'graph-max-batch',
  'graph-mode',
  'prefix-caching',
  'disable-radix-cache',
  'kv-cache-bytes',
  'kv-cache-tokens',
  'kv-cache-blocks',
  'block-tokens',
  'cpu-offload-bytes',
  'reserved-bytes-per-gpu',
  'language-model-only',
  'lora',
  'lora-rank',
  'max-queued-requests',
  'max-queued-tokens',
  'window-pool-ratio',
  'state-pool-ratio',
  'state-slots',
  'state-format',
  'scheduler-steps',
  'batch-wait-steps',
]
const DRAFTS = ['speculative', 'draft', 'acceptance']

/** What a taken plan or advice may have fixed: the model, the machine, the load and its limits stay. */
const SETTABLE = [...FORMATS, 'max-model-len', ...LAYOUT, ...DRAFTS, ...SETTINGS]

interface QuestionProps {
  form: Form
  lists: Lists
  view: View
  pasted: string | undefined
  paste(text: string | undefined): void
  here: string | undefined
  machineProblem: string | undefined
  /** The machine of the last answer. */
  answered: string | undefined
  modelProblem: string | undefined
}

/** The question: model, machine, load, limits, and what few people set. */
export function QuestionForm(props: QuestionProps) {
  const {form, lists, view, modelProblem} = props
  const engine = lists.engines.find(({id}) => id === (form.words.engine || 'vllm'))
  const isSearch = view === 'models'
  return (
    <form class="question" aria-label="The question" onSubmit={(event) => event.preventDefault()}>
      {isSearch ? (
        <Group title="Model">
          <Text form={form} flag="words" placeholder="coding 30b apache" hint="names, makers, tasks (coding, vision, reasoning), sizes, licences, formats" />
        </Group>
      ) : (
        <Group title="Model">
          <Combobox
            label={labelOf('model')}
            flag="model"
            value={form.words.model ?? ''}
            choices={lists.models}
            change={(model) => form.set({model})}
            problem={modelProblem}
            hint="a name takes the build that serves best; a repository, exactly that one"
          />
        </Group>
      )}
      <MachineFields {...props}>
        {view === 'capacity' && <Text form={form} flag="beside" placeholder="1xh100-sxm; dgx-spark" hint="cards with their number, or machines of the list" />}
      </MachineFields>
      <Load form={form} view={view} />
      {!isSearch && (
        <More title="Limits" flags={LIMITS} form={form}>
          <Text form={form} flag="slo-ttft-ms" placeholder={view === 'capacity' ? '2000' : undefined} />
          <Text form={form} flag="slo-tpot-ms" placeholder={view === 'capacity' ? '50' : undefined} />
          <Text form={form} flag="slo-e2e-ms" />
          <Text form={form} flag="slo-percentile" placeholder="the mean" />
          {view === 'plan' && <Select form={form} flag="objective" unasked="throughput" choices={['latency', 'per-user', 'memory']} />}
          {view === 'capacity' && <Select form={form} flag="slo" unasked="interactive ones" choices={[['none', 'no limits']]} />}
        </More>
      )}
      <More title="Formats and engine" flags={FORMATS} form={form}>
        <Select
          form={form}
          flag="engine"
          unasked={view === 'plan' || view === 'capacity' ? 'any' : 'vLLM'}
          choices={lists.engines.map(({id, title}) => [id, title])}
        />
        {!isSearch && <Select form={form} flag="engine-version" unasked="newest known" choices={engine?.versions ?? []} />}
        <Text form={form} flag="weights" placeholder="best published" choices={WEIGHTS} />
        {!isSearch && <Select form={form} flag="kv-cache" unasked="chosen" choices={KV_WORDS} />}
        {!isSearch && <Select form={form} flag="prefer" unasked="no lost quality" choices={['quality', 'speed', 'context', 'memory']} />}
      </More>
      {!isSearch && <Settings form={form} />}
      {!isSearch && SETTABLE.some((flag) => (form.words[flag] ?? '') !== '') && (
        <button type="button" onClick={() => form.set(Object.fromEntries(SETTABLE.map((flag) => [flag, ''])))}>
          Clear context, formats, layout and settings
        </button>
      )}
    </form>
  )
}

/** How many, how long, how often. */
function Load({form, view}: {form: Form; view: View}) {
  const isOpen = (form.words['request-rate'] ?? '') !== ''
  const isSearch = view === 'models'
  return (
    <Group title="Load">
      <div class="pairs">
        <Text
          form={form}
          flag="concurrency"
          placeholder={view === 'plan' ? 'all loads' : '1'}
          hint={view === 'capacity' ? 'people who use it' : 'in flight, or max'}
          also={{'request-rate': ''}}
        />
        {!isSearch && <Text form={form} flag="request-rate" placeholder="2.5" />}
        <Text form={form} flag="input-tokens" placeholder="1024" />
        <Text form={form} flag="output-tokens" placeholder="512" />
        <Text form={form} flag="max-model-len" placeholder={isSearch ? 'any' : 'as long as fits'} hint={isSearch ? 'at least' : 'prompt and answer'} />
        {!isSearch && <Text form={form} flag="prefix-hit-rate" placeholder="0" hint="0.8: four fifths of it" />}
        {view === 'capacity' && !isOpen && <Text form={form} flag="think-seconds" placeholder="0" />}
        {view === 'capacity' && <Text form={form} flag="growth" placeholder="5%/month" />}
        {view === 'capacity' && <Text form={form} flag="price" placeholder="98.32/h" />}
        {view === 'capacity' && <Text form={form} flag="spare" placeholder="0" />}
        {view === 'capacity' && <Text form={form} flag="max-utilisation" placeholder="85%" />}
      </div>
    </Group>
  )
}

/** What few people set. */
function Settings({form}: {form: Form}) {
  return (
    <>
      <More title="Layout" flags={LAYOUT} form={form}>
        <Text form={form} flag="tp" />
        <Text form={form} flag="pp" />
        <Text form={form} flag="dp" />
        <Text form={form} flag="ep" />
        <Text form={form} flag="decode-context-parallel" />
        <Switch form={form} flag="dp-attention" />
      </More>
      <More title="Drafts" flags={DRAFTS} form={form}>
        <Text form={form} flag="speculative" placeholder="mtp:1" />
        <Text form={form} flag="draft" />
        <Text form={form} flag="acceptance" placeholder="assumed" hint="share, or mean accepted length" />
      </More>
      <More title="Engine settings" flags={SETTINGS} form={form}>
        <Text form={form} flag="max-num-seqs" />
        <Text form={form} flag="max-num-batched-tokens" />
        <Text form={form} flag="gpu-memory-utilization" placeholder="0.9" />
        <Text form={form} flag="kv-cache-bytes" placeholder="20GiB" />
        <Text form={form} flag="kv-cache-tokens" />
        <Text form={form} flag="kv-cache-blocks" />
        <Text form={form} flag="block-tokens" />
        <Text form={form} flag="cpu-offload-bytes" placeholder="8GiB" />
        <Text form={form} flag="reserved-bytes-per-gpu" placeholder="2GiB" />
        <Text form={form} flag="graph-max-batch" />
        <Select form={form} flag="graph-mode" unasked="as by default" choices={['none', 'piecewise', 'full', 'full-decode-only', 'full-and-piecewise']} />
        <Text form={form} flag="lora" />
        <Text form={form} flag="lora-rank" placeholder="16" />
        <Text form={form} flag="max-queued-requests" />
        <Text form={form} flag="max-queued-tokens" />
        <Text form={form} flag="window-pool-ratio" />
        <Text form={form} flag="state-pool-ratio" />
        <Text form={form} flag="state-slots" />
        <Text form={form} flag="state-format" placeholder="fp32" />
        <Text form={form} flag="scheduler-steps" />
        <Text form={form} flag="batch-wait-steps" />
        <Switch form={form} flag="enforce-eager" />
        <Switch form={form} flag="prefix-caching" />
        <Switch form={form} flag="disable-radix-cache" />
        <Switch form={form} flag="language-model-only" />
      </More>
    </>
  )
}
