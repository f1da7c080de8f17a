import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {parse} from 'yaml'
import type {Accelerator, MachineGpu} from '../../src/core/accelerator.ts'
import type {Architecture, LayerKind, Mixer} from '../../src/core/architecture.ts'
import type {Deployment} from '../../src/core/deployment.ts'
import type {Subject} from '../../src/engines/engine.ts'
import type {FlagTable} from '../../src/engines/flags.ts'
import type {NeedsTable} from '../../src/engines/launch/needs-table.ts'
import type {SupportTable} from '../../src/engines/support-formats.ts'

const MIB = 1024 ** 2

const dataFile = (name: string): unknown => parse(readFileSync(fileURLToPath(new URL(`../../data/engines/${name}.yaml`, import.meta.url)), 'utf8'))

export const flagTable = (engine: string): FlagTable => dataFile(`${engine}-flags`) as FlagTable
export const needsTable = (): NeedsTable => dataFile('needs') as NeedsTable
export const supportTable = (): SupportTable => ({
  ...(dataFile('support') as SupportTable),
  ...(dataFile('builds') as Pick<SupportTable, 'builds' | 'attention'>),
})
export const engineFile = (name: string): unknown => dataFile(name)

function gpu(id: string, name: string, memoryMiB: number, computeCapability: number): MachineGpu {
  const accelerator: Accelerator = {
    id,
    name,
    vendor: 'nvidia',
    aliases: [`NVIDIA ${name}`],
    computeCapability,
    memoryBytes: memoryMiB * MIB,
    denseOperationsPerSecond: {},
    native: ['bf16'],
  }
  return {index: 0, accelerator, memoryBytes: memoryMiB * MIB}
}

/** Total memory as nvidia-smi prints it. */
export const gpus = {
  rtx4090: gpu('rtx-4090', 'GeForce RTX 4090', 24564, 8.9),
  a100: gpu('a100-sxm-80gb', 'A100-SXM4-80GB', 81920, 8.0),
  h100: gpu('h100-sxm', 'H100 80GB HBM3', 81559, 9.0),
  h200: gpu('h200-sxm', 'H200', 143771, 9.0),
  b200: gpu('b200-sxm', 'B200', 183359, 10.0),
  b300: gpu('b300-sxm', 'B300 SXM6', 275040, 10.3),
}

const layer = (name: string, mixer: Mixer, experts = false): LayerKind => ({
  name,
  mixers: [mixer],
  feedForward: experts
    ? {kind: 'moe', expertCount: 128, expertsPerToken: 8, expertIntermediateSize: 1536, gated: true}
    : {kind: 'dense', intermediateSize: 12288, gated: true},
  normCount: 2,
})

function architecture(className: string, contextTokens: number, kinds: LayerKind[]): Architecture {
  return {
    className,
    vocabularySize: 151_936,
    hiddenSize: 4096,
    tiedEmbeddings: false,
    contextTokens,
    layerKinds: kinds,
    layerSequence: kinds.map((_, index) => index),
  }
}

interface SubjectInput {
  hfId: string
  modelHfId?: string
  name: string
  weights: string
  gpu: MachineGpu
  architecture: Architecture
  kvCache?: string
}

/** A subject of as much as a launch looks at: names, formats, the kinds of layers, the device. */
export function subject({hfId, modelHfId = hfId, name, weights, gpu: device, architecture: own, kvCache}: SubjectInput): Subject {
  const checkpoint = {hfId, weights, formats: {default: 'bf16'}, ...(kvCache && {kvCache})}
  return {
    model: {id: name.toLowerCase().replaceAll(' ', '-'), hfId: modelHfId, name, family: 'test', architecture: own, checkpoints: [checkpoint]},
    checkpoint,
    machine: {gpus: [device], nodeCount: 1, link: {kind: 'nvlink'}, detected: false},
    gpu: device,
  }
}

const grouped: Mixer = {kind: 'full', queryHeadCount: 32, kvHeadCount: 8, headDim: 128}

/** Qwen3-8B in AWQ on one RTX 4090: config.json has max_position_embeddings 40960. */
export const dense = subject({
  hfId: 'Qwen/Qwen3-8B-AWQ',
  modelHfId: 'Qwen/Qwen3-8B',
  name: 'Qwen3 8B',
  weights: 'awq-int4',
  gpu: gpus.rtx4090,
  architecture: architecture('Qwen3ForCausalLM', 40_960, [layer('full', grouped)]),
})

/** Qwen3-235B-A22B in block FP8 on H200: moe_intermediate_size 1536 / 8 = 192 is no multiple of 128, so experts must stay whole. */
export const mixture = subject({
  hfId: 'Qwen/Qwen3-235B-A22B-FP8',
  modelHfId: 'Qwen/Qwen3-235B-A22B',
  name: 'Qwen3 235B A22B',
  weights: 'fp8-block',
  gpu: gpus.h200,
  architecture: architecture('Qwen3MoeForCausalLM', 40_960, [layer('experts', grouped, true)]),
})

/** DeepSeek-V4-Pro on B300: compressed attention, tokenizer and parsers of its own. */
export const compressed = subject({
  hfId: 'deepseek-ai/DeepSeek-V4-Pro',
  name: 'DeepSeek V4 Pro',
  weights: 'native',
  gpu: gpus.b300,
  architecture: architecture('DeepseekV4ForCausalLM', 1_048_576, [
    layer(
      'compressed',
      {
        kind: 'compressed',
        queryHeadCount: 128,
        headDim: 512,
        ropeHeadDim: 64,
        queryLoraRank: 1536,
        outputLoraRank: 1024,
        outputGroupCount: 16,
        windowTokens: 128,
        compressionRatio: 4,
      },
      true,
    ),
  ]),
})

/** Qwen3.5-27B: gated delta net and attention, one draft layer. */
export const hybrid = subject({
  hfId: 'Qwen/Qwen3.5-27B',
  name: 'Qwen3.5 27B',
  weights: 'bf16',
  gpu: gpus.h100,
  architecture: architecture('Qwen3_5ForConditionalGeneration', 262_144, [
    layer('linear', {kind: 'gated-delta-net', keyHeadCount: 16, keyHeadDim: 128, valueHeadCount: 48, valueHeadDim: 128, convKernelTokens: 4}),
    layer('full', grouped),
  ]),
})

/** DeepSeek-R1: multi-head latent attention, dense. */
export const latent = (device: MachineGpu): Subject =>
  subject({
    hfId: 'deepseek-ai/DeepSeek-R1',
    name: 'DeepSeek R1',
    weights: 'fp8-block',
    gpu: device,
    architecture: architecture('DeepseekV3ForCausalLM', 163_840, [
      layer('mla', {kind: 'mla', queryHeadCount: 128, queryLoraRank: 1536, kvLoraRank: 512, nopeHeadDim: 128, ropeHeadDim: 64, valueHeadDim: 128}, true),
    ]),
  })

/** gpt-oss-120b: MXFP4 experts on Hopper. */
export const openWeights = subject({
  hfId: 'openai/gpt-oss-120b',
  name: 'gpt-oss 120B',
  weights: 'mxfp4',
  gpu: gpus.h200,
  architecture: architecture('GptOssForCausalLM', 131_072, [layer('experts', grouped, true)]),
})

/** A deployment with the fields given; the rest is one GPU, without the limits, which each test sets. */
export function deployment(
  given: Partial<Deployment> & Pick<Deployment, 'engine' | 'engineVersion' | 'maxModelLen' | 'maxNumSeqs' | 'maxNumBatchedTokens' | 'gpuMemoryUtilization'>,
): Deployment {
  return {
    weights: 'bf16',
    kvCache: 'bf16',
    tp: 1,
    pp: 1,
    dp: 1,
    ep: 1,
    dpAttention: false,
    enforceEager: false,
    cpuOffloadBytes: 0,
    reservedBytesPerGpu: 0,
    ...given,
  }
}
