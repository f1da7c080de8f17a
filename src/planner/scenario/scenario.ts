import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import {MOST_DRAFT_TOKENS} from '../../engines/words.ts'

/** Latency limits of the contract's `slo`. */
export interface Objectives {
  /** Time to the first token, in milliseconds. */
  ttftMs?: number
  /** Time per output token after the first, in milliseconds. */
  tpotMs?: number
  /** From the arrival of a request to its last token. */
  endToEndMs?: number
  /** Share of requests, in per cent, that must keep the limits. Absent: the mean must. */
  percentile?: number
}

/** What the best plan is best in. */
export type Objective = 'throughput' | 'latency' | 'per-user' | 'memory'

export const OBJECTIVES: readonly Objective[] = ['throughput', 'latency', 'per-user', 'memory']

/** What moves the choice of a checkpoint, among those that keep the load. */
export type Preference = 'quality' | 'speed' | 'context' | 'memory'

export const PREFERENCES: readonly Preference[] = ['quality', 'speed', 'context', 'memory']

/** Peer access over PCIe, NVLink, or PCIe through the host. */
export type Link = 'p2p' | 'nvlink' | 'pcie'

export const LINKS: readonly Link[] = ['p2p', 'nvlink', 'pcie']

/** One question, as in the machine-readable contract. Absent: to be detected or chosen. */
export interface Scenario extends DeploymentRequest {
  /** Any text, which the answer repeats. */
  id?: string
  /** A name (`qwen3-32b`), a repository (`Qwen/Qwen3-32B-AWQ`: exactly that checkpoint), or a path. */
  model: string
  /** Cards as COUNTxNAME, comma-separated where they are mixed: `2xrtx-4090`. */
  gpu?: string
  /** Instead of `gpu`: a machine by name (`dgx-h200`), or a path of what `detect --json` or `nvidia-smi` printed. */
  machine?: string
  /** Machines of that kind, over which one deployment may be laid. Absent: 1. */
  nodes?: number
  /** How the cards of `gpu` are joined; absent: as is usual for them. */
  link?: Link
  /** Absent: what keeps the quality, then what the card computes in itself, then who published it. */
  prefer?: Preference
  workload?: Workload
  slo?: Objectives
  /** The engine's own command: read through its flag table before anything is answered. */
  command?: string[]
}

/** Modes of CUDA graphs; `none` switches them off. */
export const GRAPH_MODES = ['none', 'piecewise', 'full', 'full-decode-only', 'full-and-piecewise'] as const

/** Ranges of numbers, for flags and files alike: beyond them a number is a slip. */
export const LIMITS = {
  nodes: {min: 1, max: 1024},
  parallel: {min: 1, max: 4096},
  tokens: {min: 1, max: 1_000_000_000},
  sequences: {min: 1, max: 1_000_000},
  concurrency: {min: 1, max: 1_000_000},
  requestRate: {min: 1e-6, max: 1e6},
  fraction: {min: 0.01, max: 1},
  bytes: {min: 0, max: 2 ** 50},
  draftTokens: {min: 1, max: MOST_DRAFT_TOKENS},
  loraCount: {min: 1, max: 10_000},
  /** Above 1 it is a mean accepted length: all that were drafted and one more. */
  acceptance: {min: 0, max: 65},
  /** What may wait. */
  queue: {min: 0, max: 1_000_000_000},
  /** Decode steps between looks for new requests. */
  schedulerSteps: {min: 1, max: 10_000},
  /** Of a pool to another. */
  ratio: {min: 0.001, max: 1000},
  loraRank: {min: 1, max: 4096},
} as const
