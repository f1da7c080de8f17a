import {describe, expect, test} from 'vitest'
import {checkAcceptanceFile, checkDraftFile, checkMethodsFile} from '../../src/engines/draft-schema.ts'
import {readDataFiles} from './data-files.ts'

const files = readDataFiles('drafts')
const lists = files.filter(({path}) => !/(methods|acceptance)\.yaml$/.test(path))
const methods = checkMethodsFile('methods.yaml', files.find(({path}) => path.endsWith('methods.yaml'))?.value)
const acceptance = checkAcceptanceFile('acceptance.yaml', files.find(({path}) => path.endsWith('acceptance.yaml'))?.value)

describe.each(lists)('$path', ({path, value}) => {
  const {entries, problems} = checkDraftFile(path, value)

  test('keeps to the schema', () => expect(problems).toEqual([]))

  test('names methods that there are, and a source for every draft', () => {
    for (const {draft} of entries) {
      expect(Object.keys(methods.methods)).toContain(draft.method)
      for (const source of draft.source) expect(source).toMatch(/^https:\/\/|^(vllm|sglang) \d|^SpecForge v/)
    }
  })

  test('figures are plausible: a draft is a small part of what it drafts for', () => {
    for (const {draft} of entries) {
      expect(draft.parameters ?? 1e9).toBeGreaterThan(1e7)
      expect(draft.parameters ?? 1e9).toBeLessThan(1e10)
      expect(draft.bytes ?? 1e9).toBeLessThan(2e10)
      if (draft.shape) expect(draft.shape.queryHeadCount % draft.shape.kvHeadCount).toBe(0)
    }
  })
})

test('drafts.yaml files: at least forty drafts, each named once for a target', () => {
  const all = lists.flatMap(({path, value}) => checkDraftFile(path, value).entries)
  expect(all.length).toBeGreaterThanOrEqual(100)
  expect(new Set(all.map(({target, draft}) => `${target} ${draft.hfId.toLowerCase()}`)).size).toBe(all.length)
})

describe('methods.yaml', () => {
  test('keeps to the schema', () => expect(methods.problems).toEqual([]))
  test('a word means one method', () =>
    expect(
      checkMethodsFile('m.yaml', {
        methods: {
          a: {title: 'A', needs: 'nothing', aliases: ['x'], vllm: false, sglang: false, trtllm: false},
          b: {title: 'B', needs: 'draft', aliases: ['x'], vllm: false, sglang: false, trtllm: false},
        },
      }).problems,
    ).toEqual(['m.yaml: methods: "x" means a and b']))
})

describe('acceptance.yaml', () => {
  test('keeps to the schema', () => expect(acceptance.problems).toEqual([]))
  // Which positions are accepted can only add to the length: a longer draft never yields much less (sampling noise apart).
  test('lengths rise with what is drafted, within the noise of a measurement', () => {
    for (const {lengths = {}} of acceptance.rows) {
      const values = Object.values(lengths)
      for (const [index, value] of values.entries()) expect(value).toBeGreaterThan((values[index - 1] ?? 1) * 0.92)
    }
  })
  test('refuses a length beyond what was drafted, and a row that says nothing', () => {
    const row = (more: object) => checkAcceptanceFile('a.yaml', {rows: [{method: 'mtp', about: 'x', source: 'y', ...more}]}).problems
    expect(row({lengths: {2: 3.5}})).toEqual(['a.yaml: rows.0: a step yields at most one token more than were drafted'])
    expect(row({})).toEqual(['a.yaml: rows.0: expected lengths or chance, one of the two'])
    expect(row({chance: 0.5})).toEqual([])
  })
})
