import type {Lists} from '../planner/protocol.ts'
import type {View} from '../question/link.ts'
import {Combobox} from './combobox.tsx'
import {type Form, Group, More, Select, Switch, Text} from './fields.tsx'
import {MachineFields} from './machine.tsx'

const WEIGHTS = ['bf16', 'fp8', 'fp8-block', 'int8', 'awq-int4', 'gptq-int4', 'nvfp4', 'mxfp4', 'native']
const KV_WORDS: readonly (string | [string, string])[] = ['auto', 'bf16', 'fp8', 'nvfp4', 'int8', 'int4']

const LIMITS = ['slo-ttft-ms', 'slo-tpot-ms', 'slo-e2e-ms', 'slo-percentile', 'objective']
const FORMATS = ['engine', 'engine-version', 'weights', 'kv-cache', 'max-model-len', 'prefer']
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
const SETTABLE = [...FORMATS, ...LAYOUT, ...DRAFTS, ...SETTINGS]

interface QuestionProps {
  form: Form
  lists: Lists
  view: View
  pasted: string | undefined
  paste(text: string | undefined): void
  here: string | undefined
  machineProblem: string | undefined
  modelProblem: string | undefined
}

/** The question: model, machine, load, limits, and what few people set. */
export function QuestionForm({form, lists, view, pasted, paste, here, machineProblem, modelProblem}: QuestionProps) {
  const engine = lists.engines.find(({id}) => id === (form.words.engine || 'vllm'))
  const isOpen = (form.words['request-rate'] ?? '') !== ''
  return (
    <form class="question" aria-label="The question" onSubmit={(event) => event.preventDefault()}>
      <Group title="Model">
        <Combobox
          label="Model or repository"
          flag="model"
          value={form.words.model ?? ''}
          choices={lists.models}
          change={(model) => form.set({model})}
          problem={modelProblem}
          hint="a name asks for the build that serves best, a repository for exactly that one"
        />
      </Group>
      <MachineFields form={form} lists={lists} pasted={pasted} paste={paste} here={here} problem={machineProblem} />
      <Group title="Load">
        <div class="pairs">
          <Text
            form={form}
            flag="concurrency"
            label="Users at once"
            placeholder={view === 'plan' ? 'all loads' : '1'}
            hint="requests in flight, or max"
            also={{'request-rate': ''}}
          />
          <Text form={form} flag="request-rate" label="or requests per second" />
          <Text form={form} flag="input-tokens" label="Tokens of a prompt" placeholder="1024" />
          <Text form={form} flag="output-tokens" label="Tokens of an answer" placeholder="512" />
          <Text form={form} flag="prefix-hit-rate" label="Found in the prefix cache" placeholder="0" hint="share of a prompt, 0 to 1" />
          {view === 'capacity' && !isOpen && <Text form={form} flag="think-seconds" label="Pause between requests, s" placeholder="0" />}
          {view === 'capacity' && <Text form={form} flag="growth" label="Growth" placeholder="5%/month" />}
          {view === 'capacity' && <Text form={form} flag="price" label="Price of a machine" placeholder="98.32/h" />}
        </div>
      </Group>
      <More title="Limits" flags={LIMITS} form={form}>
        <Text form={form} flag="slo-ttft-ms" label="First token within, ms" />
        <Text form={form} flag="slo-tpot-ms" label="Each further token, ms" />
        <Text form={form} flag="slo-e2e-ms" label="Whole answer, ms" />
        <Text form={form} flag="slo-percentile" label="For so many in 100" placeholder="the mean" />
        {view === 'plan' && <Select form={form} flag="objective" label="Best in" unasked="throughput" choices={['latency', 'per-user', 'memory']} />}
      </More>
      <More title="Formats and engine" flags={FORMATS} form={form}>
        <Select
          form={form}
          flag="engine"
          label="Engine"
          unasked={view === 'plan' || view === 'capacity' ? 'any' : 'vLLM'}
          choices={lists.engines.map(({id, title}) => [id, title])}
        />
        <Select form={form} flag="engine-version" label="Release" unasked="newest known" choices={engine?.versions ?? []} />
        <Text form={form} flag="weights" label="Weights" placeholder="best published" choices={WEIGHTS} />
        <Select form={form} flag="kv-cache" label="KV cache" unasked="chosen" choices={KV_WORDS} />
        <Text form={form} flag="max-model-len" label="Context, tokens" placeholder="as long as fits" />
        <Select form={form} flag="prefer" label="Choose the build for" unasked="no lost quality" choices={['quality', 'speed', 'context', 'memory']} />
      </More>
      <More title="Layout" flags={LAYOUT} form={form}>
        <Text form={form} flag="tp" label="Tensor parallel" />
        <Text form={form} flag="pp" label="Pipeline parallel" />
        <Text form={form} flag="dp" label="Data parallel" />
        <Text form={form} flag="ep" label="Expert parallel" />
        <Text form={form} flag="decode-context-parallel" label="Decode context parallel" />
        <Switch form={form} flag="dp-attention" label="Data-parallel attention" />
      </More>
      <More title="Drafts" flags={DRAFTS} form={form}>
        <Text form={form} flag="speculative" label="Method" placeholder="mtp:1" />
        <Text form={form} flag="draft" label="Draft repository" />
        <Text form={form} flag="acceptance" label="Acceptance" placeholder="assumed" hint="share, or mean accepted length" />
      </More>
      <More title="Engine settings" flags={SETTINGS} form={form}>
        <Text form={form} flag="max-num-seqs" label="Most requests in a step" />
        <Text form={form} flag="max-num-batched-tokens" label="Most tokens in a step" />
        <Text form={form} flag="gpu-memory-utilization" label="Share of memory" placeholder="0.9" />
        <Text form={form} flag="kv-cache-bytes" label="Cache of each GPU" placeholder="20GiB" />
        <Text form={form} flag="kv-cache-tokens" label="Most tokens in the cache" />
        <Text form={form} flag="kv-cache-blocks" label="Blocks of the cache" />
        <Text form={form} flag="block-tokens" label="Tokens of a block" />
        <Text form={form} flag="cpu-offload-bytes" label="Weights in host memory" placeholder="8GiB" />
        <Text form={form} flag="reserved-bytes-per-gpu" label="Taken by others" placeholder="2GiB" />
        <Text form={form} flag="graph-max-batch" label="Largest batch with a graph" />
        <Select
          form={form}
          flag="graph-mode"
          label="CUDA graphs"
          unasked="as by default"
          choices={['none', 'piecewise', 'full', 'full-decode-only', 'full-and-piecewise']}
        />
        <Text form={form} flag="lora" label="LoRA adapters at once" />
        <Text form={form} flag="lora-rank" label="Largest rank" placeholder="16" />
        <Text form={form} flag="max-queued-requests" label="Requests that may wait" />
        <Text form={form} flag="max-queued-tokens" label="Prompt tokens that may wait" />
        <Text form={form} flag="window-pool-ratio" label="Window pool (SGLang)" />
        <Text form={form} flag="state-pool-ratio" label="State pool (SGLang)" />
        <Text form={form} flag="state-slots" label="State slots (SGLang)" />
        <Text form={form} flag="state-format" label="Recurrent state" placeholder="fp32" />
        <Text form={form} flag="scheduler-steps" label="Steps between looks (SGLang)" />
        <Text form={form} flag="batch-wait-steps" label="Steps a request waits (TRT-LLM)" />
        <Switch form={form} flag="enforce-eager" label="No CUDA graphs" />
        <Switch form={form} flag="prefix-caching" label="Prefix caching on" />
        <Switch form={form} flag="disable-radix-cache" label="Prefix caching off" />
        <Switch form={form} flag="language-model-only" label="No images or sounds" />
      </More>
      {SETTABLE.some((flag) => (form.words[flag] ?? '') !== '') && (
        <button type="button" onClick={() => form.set(Object.fromEntries(SETTABLE.map((flag) => [flag, ''])))}>
          Clear formats, layout and settings
        </button>
      )}
    </form>
  )
}
