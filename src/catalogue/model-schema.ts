import * as z from 'zod'
import type {Architecture, Encoder, FeedForward, LayerKind, Mixer} from '../core/architecture.ts'
import {findCacheFormat, isWeightFormat} from '../core/formats.ts'
import type {Checkpoint, Model, TensorFormats} from '../core/model.ts'
import {formatLayerPattern, formatLayerRanges, parseLayerPattern, parseLayerRanges} from './layer-pattern.ts'
import {count, id as idSchema, text} from './quantity-schema.ts'
import {problemsOf} from './zod-problems.ts'

const repository = z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'expected a repository such as Qwen/Qwen3-32B')
const flag = z.literal(true, 'expected true, or leave it out').optional()
const stateBytes = z.union([z.literal(2), z.literal(4)]).optional()

const indexer = z.strictObject({headCount: count, headDim: count, topKTokens: count, shared: flag, tokensPerKey: count.optional()})

const mixer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('full'),
    queryHeadCount: count,
    kvHeadCount: count,
    headDim: count,
    valueHeadDim: count.optional(),
    window: z.strictObject({kind: z.enum(['sliding', 'chunked']), tokens: count}).optional(),
    blockSparse: z
      .strictObject({indexHeadCount: count, indexHeadDim: count, blockTokens: count, topKBlockCount: count, tokensPerKey: count.optional()})
      .optional(),
    queryKeyValueBias: flag,
    outputBias: flag,
    queryKeyNorm: z.enum(['head', 'layer']).optional(),
    outputGate: z.enum(['element', 'head']).optional(),
    gateApart: flag,
    sinks: flag,
    sharesKvCache: flag,
    valueFromKey: flag,
  }),
  z.strictObject({
    kind: z.literal('mla'),
    queryHeadCount: count,
    queryLoraRank: count.optional(),
    kvLoraRank: count,
    nopeHeadDim: count,
    ropeHeadDim: z.int().nonnegative(),
    valueHeadDim: count,
    outputGate: z.union([z.literal(true), z.literal('head')]).optional(),
    indexer: indexer.optional(),
    window: z.strictObject({tokens: count}).optional(),
    cachedElements: count.optional(),
  }),
  z.strictObject({
    kind: z.literal('compressed'),
    queryHeadCount: count,
    headDim: count,
    ropeHeadDim: count,
    queryLoraRank: count,
    outputLoraRank: count,
    outputGroupCount: count,
    windowTokens: count,
    compressionRatio: z.int().nonnegative(),
    indexer: indexer.optional(),
  }),
  z.strictObject({
    kind: z.literal('gated-delta-net'),
    keyHeadCount: count,
    keyHeadDim: count,
    valueHeadCount: count,
    valueHeadDim: count,
    convKernelTokens: count,
    stateElementBytes: stateBytes,
  }),
  z.strictObject({kind: z.literal('kimi-delta'), headCount: count, headDim: count, convKernelTokens: count, fullRankGate: flag, fullRankForgetGate: flag}),
  z.strictObject({kind: z.literal('lightning'), headCount: count, headDim: count}),
  z.strictObject({
    kind: z.literal('mamba2'),
    headCount: count,
    headDim: count,
    groupCount: count,
    stateSize: count,
    convKernelTokens: count,
    convBias: flag,
    projectionBias: flag,
    gatedNorm: flag,
    stateElementBytes: stateBytes,
  }),
  z.strictObject({
    kind: z.literal('mamba1'),
    innerSize: count,
    stateSize: count,
    convKernelTokens: count,
    timeStepRank: count,
    convBias: flag,
    projectionBias: flag,
    innerNorms: flag,
  }),
  z.strictObject({kind: z.literal('short-conv'), channelCount: count, convKernelTokens: count, bias: flag}),
])

const feedForward = z.discriminatedUnion('kind', [
  z.strictObject({kind: z.literal('dense'), intermediateSize: count, gated: z.boolean(), bias: flag}),
  z.strictObject({
    kind: z.literal('moe'),
    expertCount: count,
    expertsPerToken: count,
    expertIntermediateSize: count,
    gated: z.boolean(),
    expertBias: flag,
    sharedIntermediateSize: count.optional(),
    sharedGate: flag,
    latentSize: count.optional(),
    latentNorm: flag,
    routerBias: flag,
    hashRouting: flag,
    parallelDenseIntermediateSize: count.optional(),
    extraElementCount: count.optional(),
  }),
])

/** One mixer is written `mixer:`, several side by side `mixers:`, none leaves both out. */
const layer = z.strictObject({
  mixer: mixer.optional(),
  mixers: z.array(mixer).min(2).optional(),
  feedForward: feedForward.optional(),
  normCount: z.int().nonnegative(),
  extraElementCount: count.optional(),
})

const layerName = z.string().regex(/^[a-z][a-z0-9+.-]*$/, 'expected a name such as full or mla-moe')

const architecture = z.strictObject({
  source: text.optional(),
  className: text.optional(),
  vocabularySize: count,
  hiddenSize: count,
  tiedEmbeddings: z.boolean(),
  headStoredTwice: flag,
  headBias: flag,
  contextTokens: count,
  positionTokens: count.optional(),
  layers: z.record(layerName, layer),
  pattern: text,
  draft: layer
    .extend({
      layerCount: count,
      outerElementCount: z.int().nonnegative(),
      storesEmbeddings: flag,
      /** Layers that attend otherwise, by their place from 0. */
      others: z.strictObject({places: z.array(z.int().nonnegative()).min(1), mixer}).optional(),
      builtAsDrafted: flag,
    })
    .optional(),
  encoders: z
    .array(
      z.strictObject({
        modality: z.enum(['vision', 'audio', 'video']),
        parameterCount: count,
        layerCount: count.optional(),
        hiddenSize: count.optional(),
        maxTokensPerItem: count.optional(),
        unsplitItemTokens: count.optional(),
      }),
    )
    .min(1)
    .optional(),
  perLayerEmbedding: z.strictObject({vocabularySize: count, width: count}).optional(),
  lookupTables: z
    .array(z.strictObject({rowCount: count, width: count}))
    .min(1)
    .optional(),
  extraElementCount: count.optional(),
})

const weightFormat = z.string().refine(isWeightFormat, 'is not a weight format')

const checkpoint = z.strictObject({
  hfId: repository,
  weights: z.string().regex(/^[a-z0-9]+(?:[-_][a-z0-9]+)*$/, 'expected a short name such as bf16 or awq-int4'),
  /** Left out where the whole is in the one format that `weights` names. */
  formats: z.record(z.string(), weightFormat).optional(),
  exceptions: z
    .array(z.strictObject({tensors: text, layers: text, format: weightFormat}))
    .min(1)
    .optional(),
  bytes: count.optional(),
  /** Only where the checkpoint's configuration has another limit than the model's. */
  contextTokens: count.optional(),
  kvCache: z
    .string()
    .refine((name) => findCacheFormat(name) !== undefined, 'is not a cache format')
    .optional(),
  draftIncluded: z.literal(false).optional(),
  /** Only where its layers draft a block at once (DeepSeek-V4 of August 2026). */
  draftMethod: z.literal('dspark').optional(),
  encodersIncluded: z.literal(false).optional(),
  quantMethod: text.optional(),
  thirdParty: flag,
  formatsAssumed: flag,
  /** Former names of the repository and mirrors of it. */
  aliases: z.array(repository).min(1).optional(),
  /** Only in a user's own file: where the weights lie on their machine. */
  path: z
    .string()
    .regex(/^[\\/~]|^[A-Za-z]:[\\/]/, 'expected an absolute path')
    .max(4096)
    .optional(),
  source: text.optional(),
})

const release = text.refine((value) => /^v?\d+(?:\.\d+)+/.test(value), 'expected a version such as 0.11.0')

const ropeScaling = z.strictObject({
  type: z.literal('yarn'),
  factor: z.number().gt(1),
  originalTokens: count,
  theta: count,
  partialRotaryFactor: z.number().gt(0).lt(1).optional(),
  mropeSection: z.array(count).length(3).optional(),
  mropeInterleaved: flag,
})

const extendedContext = z
  .strictObject({
    tokens: count,
    ropeScaling: ropeScaling.optional(),
    raisedLimit: flag,
    configPath: text.optional(),
    since: z.record(text, release).optional(),
    source: text,
  })
  .refine(({ropeScaling: scaling, raisedLimit}) => !(scaling && raisedLimit), 'has both ropeScaling and raisedLimit')
  .refine(({tokens, ropeScaling: scaling}) => !scaling || scaling.factor * scaling.originalTokens >= tokens, {
    path: ['tokens'],
    message: 'are more than factor x originalTokens',
  })

/** One model, `data/models/<org>/<id>.yaml`; the id is the file's name. What is unknown is left out. */
export const ModelFile = z.strictObject({
  name: text,
  family: text,
  hfId: repository,
  aliases: z.array(text).min(1).optional(),
  licence: text.optional(),
  released: z
    .string()
    .regex(/^\d{4}-\d{2}(-\d{2})?$/, 'expected a date such as 2025-04-28')
    .optional(),
  modality: z
    .array(z.enum(['text', 'vision', 'audio', 'video']))
    .min(1)
    .optional(),
  published: z.strictObject({totalParams: count.optional(), activeParams: count.optional(), source: text}).optional(),
  extendedContext: extendedContext.optional(),
  notes: z.array(text).min(1).optional(),
  /** An embedding model or a reranker. */
  pooling: z
    .strictObject({task: z.enum(['embed', 'rerank']), bidirectional: flag, hfOverrides: z.record(text, z.unknown()).optional(), trustRemoteCode: flag})
    .optional(),
  architecture,
  checkpoints: z.array(checkpoint).min(1),
})

export type ModelFile = z.output<typeof ModelFile>

/** The model in a file's content, or every problem of it at once, each with the file and the field. */
export function checkModelFile(path: string, value: unknown): {model?: Model; problems: string[]} {
  const id = (path.split(/[\\/]/).at(-1) ?? '').replace(/\.(?:ya?ml|json)$/, '')
  const problems = idSchema.safeParse(id).success ? [] : [`${path}: "${id}" is not an id: lower case letters, digits, dots and hyphens`]
  const parsed = ModelFile.safeParse(value)
  if (!parsed.success) return {problems: [...problems, ...problemsOf(path, parsed.error)]}
  const file = parsed.data
  problems.push(...layerProblems(file).map((problem) => `${path}: ${problem}`))
  if (problems.length > 0) return {problems}
  return {model: modelFrom(id, file), problems}
}

/** What zod cannot see: the pattern against the layers, exceptions against the layer count, mixers given twice. */
function layerProblems(file: ModelFile): string[] {
  const problems: string[] = []
  const {layers, pattern, contextTokens} = file.architecture
  if (file.extendedContext && file.extendedContext.tokens <= contextTokens)
    problems.push(`extendedContext.tokens: ${file.extendedContext.tokens} are not beyond the ${contextTokens} of architecture.contextTokens`)
  let layerCount = 0
  try {
    const names = parseLayerPattern(pattern)
    layerCount = names.length
    const unknown = [...new Set(names.filter((name) => !Object.hasOwn(layers, name)))]
    const unused = Object.keys(layers).filter((name) => !names.includes(name))
    if (unknown.length > 0) problems.push(`architecture.pattern: no layer is named ${unknown.join(', ')}`)
    if (unused.length > 0) problems.push(`architecture.layers: ${unused.join(', ')} does not occur in the pattern`)
  } catch (error) {
    problems.push(`architecture.pattern: ${error instanceof Error ? error.message : String(error)}`)
  }
  for (const [name, kind] of Object.entries(layers)) if (kind.mixer && kind.mixers) problems.push(`architecture.layers.${name}: has both mixer and mixers`)
  file.checkpoints.forEach((entry, index) => {
    if (entry.formats && entry.formats.default === undefined) problems.push(`checkpoints.${index}.formats: default is missing`)
    if (!entry.formats && !isWeightFormat(entry.weights)) problems.push(`checkpoints.${index}.formats: missing, and "${entry.weights}" is not a weight format`)
    for (const exception of entry.exceptions ?? []) {
      try {
        const last = Math.max(...parseLayerRanges(exception.layers))
        if (layerCount > 0 && last >= layerCount)
          problems.push(`checkpoints.${index}.exceptions: layer ${last} of ${layerCount} layers, which are counted from 0`)
      } catch (error) {
        problems.push(`checkpoints.${index}.exceptions: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  })
  if (new Set(file.checkpoints.map((entry) => entry.hfId.toLowerCase())).size < file.checkpoints.length)
    problems.push('checkpoints: a repository is listed twice')
  return problems
}

type LayerFile = z.output<typeof layer>

const kindFrom = (name: string, file: LayerFile): LayerKind => ({
  name,
  mixers: (file.mixers ?? (file.mixer ? [file.mixer] : [])) as Mixer[],
  ...present({feedForward: file.feedForward as FeedForward | undefined}),
  normCount: file.normCount,
  ...present({extraElementCount: file.extraElementCount}),
})

function architectureFrom(file: ModelFile['architecture']): Architecture {
  const {layers, pattern, draft, source: _source, encoders, ...rest} = file
  const names = Object.keys(layers)
  return {
    ...present(rest),
    layerKinds: names.map((name) => kindFrom(name, layers[name]!)),
    layerSequence: parseLayerPattern(pattern).map((name) => names.indexOf(name)),
    ...present({
      draft: draft && {
        layerCount: draft.layerCount,
        kind: kindFrom('draft', draft),
        extraElementCount: draft.outerElementCount,
        ...present({storesEmbeddings: draft.storesEmbeddings, builtAsDrafted: draft.builtAsDrafted}),
        ...present({others: draft.others && {places: draft.others.places, kind: kindFrom('draft', {...draft, mixer: draft.others.mixer})}}),
      },
      encoders: encoders as Encoder[] | undefined,
    }),
  } as Architecture
}

function checkpointsFrom(file: ModelFile): Checkpoint[] {
  return file.checkpoints.map(({formats, exceptions, ...rest}) => ({
    ...present(rest),
    formats: (formats ?? {default: rest.weights}) as TensorFormats,
    ...present({exceptions: exceptions?.map((entry) => ({...entry, layers: parseLayerRanges(entry.layers)}))}),
  }))
}

/** A checked file as the arithmetic wants it. */
export function modelFrom(id: string, file: ModelFile): Model {
  const {architecture: shape, checkpoints: _checkpoints, ...rest} = file
  return {id, ...present(rest), architecture: architectureFrom(shape), checkpoints: checkpointsFrom(file)}
}

function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}

const layerToFile = (kind: LayerKind): LayerFile =>
  present({
    mixer: kind.mixers.length === 1 ? kind.mixers[0] : undefined,
    mixers: kind.mixers.length > 1 ? kind.mixers : undefined,
    feedForward: kind.feedForward,
    normCount: kind.normCount,
    extraElementCount: kind.extraElementCount,
  }) as LayerFile

const singleFormat = ({formats, weights}: Checkpoint): boolean => Object.keys(formats).length === 1 && formats.default === weights

/** The inverse of `checkModelFile`: what a catalogue file for this model holds. The id becomes the file's name. */
export function modelToYamlObject(model: Model): ModelFile {
  const {
    layerKinds,
    layerSequence,
    draft,
    encoders,
    className,
    vocabularySize,
    hiddenSize,
    tiedEmbeddings,
    headStoredTwice,
    headBias,
    contextTokens,
    positionTokens,
    ...rest
  } = model.architecture
  return present({
    name: model.name,
    family: model.family,
    hfId: model.hfId,
    aliases: model.aliases?.length ? model.aliases : undefined,
    licence: model.licence,
    released: model.released,
    modality: model.modality as ModelFile['modality'],
    published: model.published,
    extendedContext: model.extendedContext,
    notes: model.notes,
    pooling: model.pooling,
    architecture: present({
      className,
      vocabularySize,
      hiddenSize,
      tiedEmbeddings,
      headStoredTwice,
      headBias,
      contextTokens,
      positionTokens,
      layers: Object.fromEntries(layerKinds.map((kind) => [kind.name, layerToFile(kind)])),
      pattern: formatLayerPattern(layerSequence.map((index) => layerKinds[index]!.name)),
      draft:
        draft &&
        present({
          layerCount: draft.layerCount,
          outerElementCount: draft.extraElementCount,
          storesEmbeddings: draft.storesEmbeddings,
          others: draft.others && {places: draft.others.places, mixer: draft.others.kind.mixers[0]},
          builtAsDrafted: draft.builtAsDrafted,
          ...layerToFile(draft.kind),
        }),
      encoders,
      ...rest,
    }),
    // Who published it is told by the build from its name, and what is known of its quality from data/quality.
    checkpoints: model.checkpoints.map(({formats, exceptions, hfId, weights, publisher: _publisher, quality: _quality, ...more}) =>
      present({
        hfId,
        weights,
        formats: singleFormat({formats, weights} as Checkpoint) ? undefined : formats,
        exceptions: exceptions?.map((entry) => ({...entry, layers: formatLayerRanges(entry.layers)})),
        ...more,
      }),
    ),
  }) as ModelFile
}
