/** Random questions that are legal: any model and machine of the catalogue, any engine and release, settings given or left open. */
import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest} from '../../core/deployment.ts'
import {type Random, randomOf} from '../../core/simulator/random.ts'
import type {Engine, Subject} from '../../engines/engine.ts'
import type {Scenario} from '../../planner/scenario/index.ts'
import {machineFromName, machineFromSpec, servingGroups, tightestGpu} from '../../planner/world/index.ts'

const GIB = 1024 ** 3

/** A scenario of the contract, with the engine and the layout named, and what is free on its GPUs where somebody looked. */
export interface DrawnScenario extends Scenario {
  engine: string
  freeBytes?: number
}

const chance = (random: Random, probability: number): boolean => random.uniform() < probability
const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random.uniform() * values.length)]!
const whole = (random: Random, least: number, most: number): number => least + Math.floor(random.uniform() * (most - least + 1))
/** Uniform in the logarithm: small sizes as often as large ones. */
const sized = (random: Random, least: number, most: number): number => Math.round(Math.exp(Math.log(least) + random.uniform() * Math.log(most / least)))

const COUNTS = [1, 1, 2, 2, 4, 4, 8, 8, 16, 64]
const SIZES = [1, 1, 2, 2, 4, 8, 3, 16]
const DRAFTS = ['mtp', 'eagle3', 'ngram', 'standalone', 'dflash']

/** Settings, most left open. Layouts that the GPUs are too few for are asked about now and then. */
function settingsOf(random: Random, gpuCount: number): Omit<DeploymentRequest, 'engine' | 'engineVersion'> {
  const given = (probability: number) => chance(random, probability)
  const most = chance(random, 0.1) ? Number.POSITIVE_INFINITY : gpuCount
  const ranks = (sizes: readonly number[]) => {
    const few = sizes.filter((size) => size <= most)
    return pick(random, few.length > 0 ? few : [1])
  }
  return {
    ...(given(0.25) && {kvCache: pick(random, ['auto', 'fp8', 'bf16'])}),
    ...(given(0.6) && {tp: ranks(SIZES)}),
    ...(given(0.15) && {pp: ranks([1, 2, 3, 4, 12, 128])}),
    ...(given(0.1) && {dp: ranks(SIZES)}),
    ...(given(0.15) && {ep: ranks(SIZES)}),
    ...(given(0.15) && {dpAttention: true}),
    ...(given(0.5) && {maxModelLen: sized(random, 16, 2_000_000)}),
    ...(given(0.4) && {maxNumSeqs: sized(random, 1, 4096)}),
    ...(given(0.4) && {maxNumBatchedTokens: sized(random, 64, 131_072)}),
    ...(given(0.4) && {gpuMemoryUtilization: whole(random, 1, 100) / 100}),
    ...(given(0.2) && {enforceEager: true}),
    ...(given(0.2) && {speculative: {method: pick(random, DRAFTS), tokens: whole(random, 1, 8)}}),
    ...(given(0.1) && {cpuOffloadBytes: sized(random, GIB, 1024 * GIB)}),
    ...(given(0.15) && {reservedBytesPerGpu: sized(random, 2 ** 20, 512 * GIB)}),
  }
}

/** The scenario of this number under this seed: each can be drawn again alone. */
export function drawScenario(catalogue: Catalogue, engines: readonly Engine[], seed: number, number: number): DrawnScenario {
  const random = randomOf(seed, number)
  const engine = pick(random, engines)
  const systems = catalogue.systems.filter(({gpus}) => gpus.length > 0)
  // Engines have builds for two vendors: the others are asked about now and then.
  const served = catalogue.gpus.filter(({vendor}) => vendor === 'nvidia' || vendor === 'amd')
  const system = chance(random, 0.4) ? pick(random, systems) : undefined
  const count = system ? system.gpus.reduce((sum, gpu) => sum + gpu.count, 0) : pick(random, COUNTS)
  const machine = system ? {machine: system.id} : {gpu: `${count}x${pick(random, chance(random, 0.9) ? served : catalogue.gpus).id}`}
  const {id, checkpointIds} = pick(random, catalogue.modelEntries)
  const workload = chance(random, 0.4) && {
    workload: {inputTokens: sized(random, 1, 100_000), outputTokens: sized(random, 1, 4000), concurrency: sized(random, 1, 1000)},
  }
  return {
    model: chance(random, 0.5) && checkpointIds.length > 0 ? pick(random, checkpointIds) : id,
    ...machine,
    ...(chance(random, 0.1) && {nodes: pick(random, [2, 3, 4])}),
    engine: engine.id,
    engineVersion: pick(random, engine.versions),
    ...settingsOf(random, count),
    ...workload,
    ...(chance(random, 0.1) && {freeBytes: sized(random, GIB, 512 * GIB)}),
  }
}

function machineOf(catalogue: Catalogue, {gpu, machine, nodes, freeBytes}: DrawnScenario): Machine {
  const named = gpu !== undefined ? machineFromSpec(catalogue, gpu, nodes) : machineFromName(catalogue, machine!, nodes)
  const group = servingGroups(named)[0]!
  return freeBytes === undefined ? group : {...group, detected: true, gpus: group.gpus.map((one) => ({...one, freeBytes}))}
}

/** What an engine is asked about a drawn scenario. */
export function subjectOf(catalogue: Catalogue, scenario: DrawnScenario): Subject {
  const entry = catalogue.modelEntries.find(({id, checkpointIds}) => id === scenario.model || checkpointIds.includes(scenario.model))!
  const model = catalogue.model(entry.id)
  const machine = machineOf(catalogue, scenario)
  const checkpoint = model.checkpoints.find(({hfId}) => hfId === scenario.model) ?? model.checkpoints[0]!
  return {model, checkpoint, machine, gpu: tightestGpu(machine)}
}
