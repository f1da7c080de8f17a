/**
 * What the parameters are thought to be before any log is read, and how they are reached. A fit moves each by a factor; data that
 * says nothing about one leaves it here.
 */
import type {OverheadParameters} from '../../engines/overheads.ts'

export interface Parameter {
  name: string
  /** What it is, for the table in docs/memory.md. */
  meaning: string
  /** Known from logs that print it by itself: held near its prior. */
  firm?: boolean
  get(parameters: OverheadParameters): number
  set(parameters: OverheadParameters, value: number): void
}

const runtime = (vendor: string): Parameter => ({
  name: `runtimeBytes.${vendor}`,
  meaning: `context and libraries of one process (${vendor})`,
  firm: vendor === 'nvidia',
  get: ({runtimeBytes}) => runtimeBytes[vendor]!,
  set: ({runtimeBytes}, value) => {
    runtimeBytes[vendor] = value
  },
})
const collective = (link: 'direct' | 'host', meaning: string): Parameter => ({
  name: `collectiveBytes.${link}`,
  meaning,
  get: ({collectiveBytes}) => collectiveBytes[link],
  set: ({collectiveBytes}, value) => {
    collectiveBytes[link] = value
  },
})
const DIRECT = collective('direct', 'collectives for each further GPU, with multicast or peer-to-peer buffers')
const HOST = collective('host', 'collectives for each further GPU, without such buffers')
const scalar = (name: 'activationCopies' | 'encoderCopies' | 'graphBaseBytes' | 'graphBytesPerLayer' | 'loaderBytes', meaning: string): Parameter => ({
  name,
  meaning,
  get: (parameters) => parameters[name],
  set: (parameters, value) => {
    parameters[name] = value
  },
})
const logits = (index: number): Parameter => ({
  name: `logitBytes.${index}`,
  meaning: "bytes per logit of the sampler's trial where it sorts (14 from 0.17.0, by rule)",
  get: ({logitBytes}) => logitBytes[index]!.bytes,
  set: ({logitBytes}, value) => {
    logitBytes[index]!.bytes = value
  },
})
const COPIES: Parameter = {...scalar('activationCopies', "copies of the widest layer's activations at the peak"), firm: true}

/** Parameters that logs of an engine say something about. */
export const FITTED: Record<string, Parameter[]> = {
  vllm: [
    runtime('nvidia'),
    runtime('amd'),
    DIRECT,
    HOST,
    COPIES,
    {...scalar('encoderCopies', "copies of the vision tower's widest layer"), firm: true},
    logits(0),
    scalar('graphBaseBytes', 'fixed cost of capturing graphs'),
    scalar('graphBytesPerLayer', 'one captured graph of one layer'),
    scalar('loaderBytes', 'what loading quantised weights leaves in the allocator on AMD'),
  ],
  sglang: [runtime('nvidia'), runtime('amd'), DIRECT, HOST],
  trtllm: [runtime('nvidia'), COPIES],
}

const MIB = 1024 ** 2

export const PRIORS: Record<string, OverheadParameters> = {
  vllm: {
    basis: 'start-up logs of vLLM 0.8 to 0.28 on one to eight GPUs',
    runtimeBytes: {nvidia: 125 * MIB, amd: 300 * MIB},
    collectiveBytes: {direct: 300 * MIB, host: 60 * MIB},
    activationCopies: 1.2,
    encoderCopies: 1,
    logitBytes: [
      {since: '0.8.0', bytes: 39},
      // 16 bits, the same at 32, their probabilities and the draws (v1/sample/sampler.py, ops/topk_topp_sampler.py).
      {since: '0.17.0', bytes: 14},
    ],
    graphBaseBytes: 60 * MIB,
    graphBytesPerLayer: 190_000,
    loaderBytes: 700 * MIB,
    unifiedRuntimeBytes: 3277 * MIB,
    unifiedSystemBytes: 9.5 * 1024 * MIB,
    spreadBytes: 500 * MIB,
  },
  sglang: {
    basis: 'start-up logs and test floors of SGLang 0.4.6 to 0.5.18 on one to eight GPUs',
    runtimeBytes: {nvidia: 800 * MIB, amd: 900 * MIB},
    collectiveBytes: {direct: 380 * MIB, host: 130 * MIB},
    activationCopies: 1,
    encoderCopies: 1,
    logitBytes: [],
    graphBaseBytes: 100 * MIB,
    graphBytesPerLayer: 250_000,
    loaderBytes: 0,
    unifiedRuntimeBytes: 0,
    unifiedSystemBytes: 9.5 * 1024 * MIB,
    spreadBytes: 800 * MIB,
  },
  trtllm: {
    basis: 'start-up logs of TensorRT-LLM 1.0 to 1.2 on one GPU',
    runtimeBytes: {nvidia: 800 * MIB},
    collectiveBytes: {direct: 300 * MIB, host: 150 * MIB},
    activationCopies: 1.5,
    encoderCopies: 1,
    logitBytes: [],
    graphBaseBytes: 200 * MIB,
    graphBytesPerLayer: 400_000,
    loaderBytes: 0,
    unifiedRuntimeBytes: 0,
    unifiedSystemBytes: 9.5 * 1024 * MIB,
    spreadBytes: 1500 * MIB,
  },
}
