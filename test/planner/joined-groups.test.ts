import {describe, expect, it} from 'vitest'
import type {MachineDocument} from '../../src/detect/machine-document.ts'
import {toMachine} from '../../src/detect/to-machine.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import {toResult} from '../../src/planner/answer/result.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'
import {linkWithin} from '../../src/planner/world/links.ts'
import {cardsOf, machineFromName, machineFromSpec} from '../../src/planner/world/machines.ts'
import {plannerContext} from './plan-context.ts'

const context = plannerContext()

/** Four RTX 3090 of which two pairs wear a bridge, 0 with 2 and 1 with 3, as `nvidia-smi topo -m` shows them. */
const bridged: MachineDocument = {
  schemaVersion: 1,
  gpus: [0, 1, 2, 3].map((index) => ({index, id: 'rtx-3090', name: 'NVIDIA GeForce RTX 3090', vendor: 'nvidia' as const, memoryBytes: 24_576 * 2 ** 20})),
  interconnect: {
    kind: 'pcie-host',
    pairs: [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ].map(([a, b]) => ({gpus: [a!, b!] as [number, number], kind: b! - a! === 2 ? ('nvlink' as const) : ('pcie-host' as const)})),
  },
  cpu: {},
  disk: [],
  problems: [],
}
const machine = toMachine(bridged, (id) => context.catalogue.gpu(id))

describe('links by pair', () => {
  it('bridged pairs are found, and the whole machine is as slow as its slowest pair', () => {
    expect(machine.link.kind).toBe('pcie-host')
    expect(machine.joined).toMatchObject({
      kind: 'nvlink',
      groups: [
        [0, 2],
        [1, 3],
      ],
    })
  })

  it('groups of two stay behind their bridges, four and three do not', () => {
    expect(linkWithin(machine, 2).kind).toBe('nvlink')
    expect(linkWithin(machine, 4).kind).toBe('pcie-host')
    expect(linkWithin(machine, 3).kind).toBe('pcie-host')
    expect(linkWithin(machine, 1)).toBe(machine.link)
  })

  it('a card without a bridge leaves no groups of two', () => {
    expect(linkWithin(cardsOf(machine, machine.gpus.slice(0, 3)), 2).kind).toBe('pcie-host')
    expect(linkWithin(machineFromSpec(context.catalogue, '4xrtx-3090'), 2).kind).toBe('pcie-host')
  })

  it('takes them from catalogued machines', () => {
    const system = machineFromName(context.catalogue, 'rtx-a6000-4x')
    expect(linkWithin(system, 2).kind).toBe('nvlink')
    expect(linkWithin(system, 4).kind).toBe(system.link.kind)
  })

  it('groups that do not stand side by side are put in order', async () => {
    const reading = {...context, readMachine: () => Promise.resolve(machine)} as unknown as typeof context
    const ask = async (tp: number) =>
      (await answer(reading, {model: 'qwen3-8b', machine: 'mine.json', tp, dp: 4 / tp} as unknown as Scenario)).best.warnings.filter(
        ({code}) => code === 'links-by-pair',
      )
    expect((await ask(2))[0]?.message).toContain('CUDA_VISIBLE_DEVICES=0,2,1,3')
    expect(await ask(4)).toEqual([])
  })

  it('two pairs prefill faster each than over PCIe, and decode hardly so', async () => {
    const ask = async (joined: boolean) => {
      const reading = {...context, readMachine: () => Promise.resolve(joined ? machine : {...machine, joined: undefined})} as unknown as typeof context
      const scenario = {
        model: 'qwen3-32b',
        weights: 'fp8',
        machine: 'mine.json',
        tp: 2,
        dp: 2,
        maxModelLen: 16_384,
        workload: {inputTokens: 10_000, outputTokens: 200, concurrency: 2},
      }
      return toResult((await answer(reading, scenario as unknown as Scenario)).best).performance!
    }
    const [pairs, plain] = [await ask(true), await ask(false)]
    const [first, each] = [plain.ttftMs.estimate / pairs.ttftMs.estimate, plain.tpotMs.estimate / pairs.tpotMs.estimate]
    // 128 sums of 10,000 x 5,120 x 2 bytes at some 6 instead of 35 GB/s: 1.8 s of the prompt's time.
    expect(plain.ttftMs.estimate - pairs.ttftMs.estimate).toBeGreaterThan(1500)
    expect(first).toBeGreaterThan(1.1)
    expect(each).toBeLessThan(first)
    expect(each).toBeGreaterThan(1)
  })
})
