import {parse} from 'yaml'
import {describe, expect, it} from 'vitest'
import {readCommand} from '../../../src/engines/launch/read/read-command.ts'
import {readProgram} from '../../../src/engines/launch/read/program.ts'
import {flagTable} from '../launch-fixtures.ts'
import {engineData} from '../../../src/planner/world/context.ts'
import {answer} from '../../../src/planner/answer/index.ts'
import {toResult} from '../../../src/planner/answer/result.ts'
import type {Scenario} from '../../../src/planner/scenario/index.ts'
import {answerSpelled, type Documents} from '../../../src/planner/words/index.ts'
import {numbersOf, plannerContext} from '../../planner/plan-context.ts'
import {COMMANDS} from './commands.ts'

const tables = Object.fromEntries(['vllm', 'sglang', 'trtllm'].map((engine) => [engine, flagTable(engine)]))
const documents: Documents = {
  read: () => Promise.reject(new Error('no file here')),
  parse: async (text) => parse(text) as unknown,
  text: () => Promise.reject(new Error('no file here')),
}
const context = plannerContext()
const newest = (engine: string): string => engineData(context, engine).newestVersion
const known = (model: string): boolean =>
  context.catalogue.modelEntries.some(({names, checkpointIds, hfId}) =>
    [hfId, ...names, ...checkpointIds].some((name) => name.toLowerCase() === model.toLowerCase()),
  )

it('holds sixty commands or more', () => {
  expect(COMMANDS.length).toBeGreaterThanOrEqual(60)
})

describe.each(COMMANDS.map((command) => [command.text.split('\n').at(-1)!.slice(0, 90), command] as const))(
  '%s',
  (_name, {text, gpu, version, flags, asks}) => {
    const program = readProgram([text])
    const release = version ?? program.version ?? newest(program.engine)
    const files = Object.fromEntries(Object.entries(program.files).map(([name, content]) => [name, parse(content) as unknown]))
    const reading = readCommand(program, {table: tables[program.engine]!, version: release, files})

    it('is read: nothing is refused, every flag is accounted for, and it asks for this', () => {
      expect(reading.refused).toEqual([])
      expect(reading.flags.map(({flag}) => flag)).toHaveLength(flags)
      for (const {because, effect} of reading.flags) {
        expect(effect).not.toBe('wrong')
        expect(because).not.toBe('')
      }
      expect(reading.request).toEqual(asks)
    })

    it("gives the numbers of the same deployment in servefit's own fields", async () => {
      const {engine, model, weights, ...own} = asks
      if (!known(model!)) {
        expect(model).toMatch(/Embedding/)
        return
      }
      const workload = {inputTokens: 512, outputTokens: 128, concurrency: 4}
      const asked = {model: '', gpu, workload, command: [text], ...(version !== undefined && {engineVersion: version})} as Scenario
      const {answered, command} = await answerSpelled(context, asked, documents)
      expect(command!.flags).toHaveLength(flags)
      const result = toResult(answered.best)
      const isNews =
        weights !== undefined &&
        ['bf16', 'fp16'].includes(context.catalogue.model(result.model.id).checkpoints.find(({hfId}) => hfId === model)?.weights ?? 'bf16')
      const maxModelLen = own.maxModelLen ?? (reading.autoLength ? result.deployment.maxModelLen : undefined)
      const fields: Scenario = {
        tp: 1,
        pp: 1,
        dp: 1,
        ...own,
        ...(maxModelLen !== undefined && {maxModelLen}),
        ...(isNews && {weights}),
        model: model!,
        engine,
        gpu,
        workload,
        engineVersion: release,
      }
      const inFields = toResult((await answer(context, fields, {asRan: true})).best)
      const {engineFlags: _passed, ...deployment} = result.deployment
      expect(numbersOf({...result, deployment})).toEqual(numbersOf(inFields))
    })
  },
)
