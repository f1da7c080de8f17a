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

  test('documents a longer context that its scaling reaches, with a source', () => {
    const {architecture, extendedContext} = modelOf(file)
    if (!extendedContext) return
    const {tokens, ropeScaling, raisedLimit, source, configPath} = extendedContext
    expect(source).toMatch(/^https:\/\//)
    expect(tokens).toBeGreaterThan(architecture.contextTokens)
    if (ropeScaling) {
      expect(ropeScaling.factor * ropeScaling.originalTokens).toBeGreaterThanOrEqual(tokens)
      // Scaling starts from the length of the training, which no configuration here goes beyond by more than the room for an answer.
      expect(ropeScaling.originalTokens).toBeLessThanOrEqual(architecture.contextTokens)
      expect(architecture.contextTokens).toBeLessThanOrEqual(1.25 * ropeScaling.originalTokens)
      // The rotation of three axes: the sections are pairs of the rotated share of a head.
      const head = architecture.layerKinds.flatMap(({mixers}) => mixers).find((mixer) => mixer.kind === 'full')
      const rotated = ((head?.headDim ?? 0) * (ropeScaling.partialRotaryFactor ?? 1)) / 2
      if (ropeScaling.mropeSection) expect(ropeScaling.mropeSection.reduce((sum, pairs) => sum + pairs, 0)).toBe(rotated)
      expect(configPath === undefined, 'multimodal configurations keep the language model in a part').toBe(architecture.encoders === undefined)
    }
    if (raisedLimit) expect(ropeScaling).toBeUndefined()
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
