import {describe, expect, test} from 'vitest'
import {ModelFile, checkModelFile, modelToYamlObject} from '../../src/catalogue/model-schema.ts'
import {countParameters} from '../../src/core/tensors.ts'
import {checkpointBytes} from '../../src/core/weights.ts'
import {modelFiles, modelOf} from './model-files.ts'

/** A figure rounded to its last digit that is not zero may be off by half of that digit: 33B is 32.5 to 33.5. */
function tolerance(stated: number): number {
  let unit = 1
  while (stated % (unit * 10) === 0) unit *= 10
  return Math.max(stated * 0.01, Math.min(unit, 1e9) / 2)
}

test('there are files', () => {
  expect(modelFiles.length).toBeGreaterThan(180)
  expect(modelFiles.flatMap((file) => modelOf(file).checkpoints).length).toBeGreaterThan(450)
})

describe.each(modelFiles)('$path', (file) => {
  test("has no problem, lies in its publisher's folder and names its sources", () => {
    const {model, problems} = checkModelFile(file.path, file.value)
    expect(problems).toEqual([])
    expect(model!.hfId.split('/')[0]!.toLowerCase()).toBe(file.organisation)
    const parsed = ModelFile.parse(file.value)
    expect(parsed.architecture.source).toBeDefined()
    for (const checkpoint of parsed.checkpoints) expect(checkpoint.source, checkpoint.hfId).toMatch(/^https:\/\//)
  })

  test('comes out the same when written again', () => {
    const model = modelOf(file)
    const written = JSON.parse(JSON.stringify(modelToYamlObject(model)))
    expect(checkModelFile(file.path, written).model).toEqual(model)
  })

  test('has the parameters that the publisher states', () => {
    const {architecture, published} = modelOf(file)
    const {total, draft, active, activeWithEmbedding} = countParameters(architecture)
    expect(active).toBeLessThanOrEqual(total)
    if (published?.totalParams !== undefined) {
      // Some publishers count the draft layers, some do not.
      const off = Math.min(Math.abs(total - published.totalParams), Math.abs(total + draft - published.totalParams))
      expect(off, `${total} against ${published.totalParams}`).toBeLessThanOrEqual(tolerance(published.totalParams))
    }
    // Three conventions are in use for active parameters: with both embedding matrices, with the head, with neither.
    if (published?.activeParams !== undefined) {
      const bare = active - architecture.vocabularySize * architecture.hiddenSize
      expect(published.activeParams).toBeGreaterThan(bare * 0.75)
      expect(published.activeParams).toBeLessThan(activeWithEmbedding * 1.25)
    }
  })

  test('has checkpoints of the size that is stated', () => {
    const {architecture, checkpoints} = modelOf(file)
    for (const checkpoint of checkpoints) {
      const bytes = checkpointBytes(architecture, checkpoint)
      expect(bytes).toBeGreaterThan(0)
      if (checkpoint.bytes !== undefined)
        expect(Math.abs(bytes / checkpoint.bytes - 1), `${checkpoint.hfId}: ${bytes} against ${checkpoint.bytes}`).toBeLessThan(0.01)
    }
  })
})
