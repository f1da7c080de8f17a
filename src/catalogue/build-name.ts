/** What the name of a repository says: the model that it was made from, and the form in which it keeps the weights. */
import {isWeightFormat} from '../core/formats.ts'
import type {Architecture} from '../core/architecture.ts'
import type {Checkpoint, FormatException, Model, TensorFormats} from '../core/model.ts'
import {dictionary} from '../core/dictionary.ts'

/** A build of another model by its name. */
export interface NamedBuild {
  /** Repository, without a GGUF type behind it. */
  repository: string
  /** Name of the model that it was made from. */
  base: string
  /** Short name of the weights, as the catalogue has it. */
  weights: string
  formats: TensorFormats
  quantMethod?: string
  /** The name does not say it: what the method does by default. */
  assumed: string[]
}

/** A name whose form no engine here loads, with what does. */
export interface ForeignBuild {
  base: string
  form: string
  program: string
}

/** Forms of other programs, by a word of the name or the organisation. */
const FOREIGN: {pattern: RegExp; form: string; program: string}[] = [
  {pattern: /[-_.]exl3\b.*$/i, form: 'EXL3', program: 'ExLlamaV3 (TabbyAPI)'},
  {pattern: /[-_.](?:exl2|\d+(?:[._]\d+)?bpw)\b.*$/i, form: 'EXL2', program: 'ExLlamaV2 (TabbyAPI)'},
  {pattern: /[-_.]mlx\b.*$|^mlx-/i, form: 'MLX', program: 'MLX on Apple machines'},
  {pattern: /[-_.]q\d+f\d+(?:_\d+)?-mlc$|[-_.]mlc$/i, form: 'MLC', program: 'MLC LLM'},
  {pattern: /[-_.](?:ov|openvino)$|[-_.](?:int[48]|fp16)-(?:cw-|sym-)?ov$/i, form: 'OpenVINO', program: 'OpenVINO Model Server'},
  {pattern: /[-_.]onnx\b.*$/i, form: 'ONNX', program: 'ONNX Runtime'},
  {pattern: /[-_.](?:ct2|ctranslate2)\b.*$/i, form: 'CTranslate2', program: 'CTranslate2'},
  {pattern: /[-_.]ggml\b.*$/i, form: 'GGML', program: 'old releases of llama.cpp'},
]

interface Form {
  pattern: RegExp
  weights: string
  format: string
  /** Tensors that the name says to be in another format. */
  others?: Record<string, string>
  quantMethod?: string
  assumed?: string
}

const GROUPS_OF_128 = 'groups of 128'
const BITS_4 = '4 bits'

/** Endings of names, the longest first where one holds another. What is not said is the default of the method's own tool. */
const FORMS: Form[] = [
  {
    pattern: /[-_.](?:int4|w4a16|4-?bits?)(?:-mixed)?[-_.]?auto-?round(?:[-_.](?:gptq|awq|inc|recipe))?$/i,
    weights: 'gptq-int4',
    format: 'gptq-int4',
    quantMethod: 'auto-round',
    assumed: GROUPS_OF_128,
  },
  {
    pattern: /[-_.]auto-?round[-_.](?:int4|w4a16|4-?bits?)(?:[-_.](?:gptq|awq))?$/i,
    weights: 'gptq-int4',
    format: 'gptq-int4',
    quantMethod: 'auto-round',
    assumed: GROUPS_OF_128,
  },
  {pattern: /[-_.](?:int8|w8a16|8-?bits?)[-_.]?auto-?round$/i, weights: 'gptq-int8', format: 'gptq-int8', quantMethod: 'auto-round', assumed: GROUPS_OF_128},
  {
    pattern: /[-_.](?:awq[-_.](?:int8|8-?bits?)|(?:int8|8-?bits?)[-_.]awq)$/i,
    weights: 'compressed-int8',
    format: 'int8-group',
    quantMethod: 'compressed-tensors',
    assumed: GROUPS_OF_128,
  },
  {
    pattern: /[-_.](?:awq(?:[-_.](?:int4|4-?bits?|w4a16|g128))?|(?:int4|4-?bits?)[-_.]awq)$/i,
    weights: 'awq-int4',
    format: 'awq-int4',
    quantMethod: 'awq',
    assumed: GROUPS_OF_128,
  },
  {
    pattern: /[-_.](?:gptq[-_.](?:int8|8-?bits?)|(?:int8|8-?bits?)[-_.]gptq)(?:[-_.](?:g?128g?))?$/i,
    weights: 'gptq-int8',
    format: 'gptq-int8',
    quantMethod: 'gptq',
    assumed: GROUPS_OF_128,
  },
  {
    pattern: /[-_.](?:gptq[-_.](?:int4|4-?b(?:its?)?)|(?:int4|4-?bits?)[-_.]gptq)(?:[-_.](?:g?128g?))?$/i,
    weights: 'gptq-int4',
    format: 'gptq-int4',
    quantMethod: 'gptq',
    assumed: GROUPS_OF_128,
  },
  {pattern: /[-_.]gptq$/i, weights: 'gptq-int4', format: 'gptq-int4', quantMethod: 'gptq', assumed: `${BITS_4} in ${GROUPS_OF_128}`},
  {
    // Google's: `-qat-w4a16-ct`, groups of 32.
    pattern: /[-_.](?:qat[-_.])?w4a16[-_.]ct$/i,
    weights: 'compressed-int4',
    format: 'int4-group32',
    quantMethod: 'compressed-tensors',
    assumed: 'groups of 32',
  },
  {
    pattern: /[-_.](?:quantized[-_.])?w4a16(?:[-_.]?g?128)?(?:[-_.](?:asym|sym))?$/i,
    weights: 'compressed-int4',
    format: 'int4-group128',
    quantMethod: 'compressed-tensors',
    assumed: GROUPS_OF_128,
  },
  {pattern: /[-_.](?:quantized[-_.])?w8a16$/i, weights: 'compressed-int8', format: 'int8-group', quantMethod: 'compressed-tensors', assumed: GROUPS_OF_128},
  {
    pattern: /[-_.](?:quantized[-_.])?(?:w8a8|int8)(?:[-_.]int8)?$/i,
    weights: 'int8',
    format: 'int8',
    quantMethod: 'compressed-tensors',
    assumed: 'INT8 weights and activations',
  },
  {
    pattern: /[-_.]int4$/i,
    weights: 'compressed-int4',
    format: 'int4-group128',
    quantMethod: 'compressed-tensors',
    assumed: `compressed-tensors in ${GROUPS_OF_128}`,
  },
  // What ModelSlim packs for Ascend NPUs.
  {pattern: /[-_.]w8a8[-_.]mtp$/i, weights: 'int8', format: 'int8', quantMethod: 'ascend'},
  {pattern: /[-_.]w8a8[-_.]mxfp8$/i, weights: 'mxfp8', format: 'mxfp8', quantMethod: 'ascend'},
  {pattern: /[-_.]w4a4[-_.]mxfp4$/i, weights: 'mxfp4', format: 'mxfp4', quantMethod: 'ascend'},
  {pattern: /[-_.]w4a8$/i, weights: 'w4a8', format: 'w4a8', assumed: GROUPS_OF_128},
  {
    pattern: /[-_.]nvfp4[-_.]fp8(?:[-_.](?:block|dynamic))?$/i,
    weights: 'nvfp4',
    format: 'nvfp4',
    others: {attention: 'fp8-block', indexer: 'fp8-block'},
    quantMethod: 'compressed-tensors',
    assumed: 'attention in FP8',
  },
  {pattern: /[-_.]fp8[-_.]block$/i, weights: 'fp8-block', format: 'fp8-block', quantMethod: 'compressed-tensors', assumed: 'blocks of 128 x 128'},
  {
    pattern: /[-_.](?:fp8[-_.](?:dynamic|channel)|w8a8[-_.]fp8)$/i,
    weights: 'fp8',
    format: 'fp8-channel',
    quantMethod: 'compressed-tensors',
    assumed: 'one scale a row',
  },
  {pattern: /[-_.]fp8(?:[-_.](?:kv|static|e4m3))?$/i, weights: 'fp8', format: 'fp8', quantMethod: 'compressed-tensors', assumed: 'one scale a matrix'},
  {pattern: /[-_.]nvfp4a16$/i, weights: 'nvfp4', format: 'nvfp4-weight-only', quantMethod: 'compressed-tensors'},
  {pattern: /[-_.](?:nvfp4|fp4)(?:[-_.](?:w4a4|mtp|fast|qad))?$/i, weights: 'nvfp4', format: 'nvfp4', quantMethod: 'modelopt'},
  {
    pattern: /[-_.](?:quark[-_.])?mxfp4[-_.]attn[-_.]?fp8$/i,
    weights: 'mxfp4',
    format: 'mxfp4',
    others: {attention: 'fp8', indexer: 'fp8'},
    quantMethod: 'quark',
  },
  {pattern: /[-_.](?:quark[-_.])?mxfp4$/i, weights: 'mxfp4', format: 'mxfp4', quantMethod: 'quark'},
  {pattern: /[-_.]mxfp8$/i, weights: 'mxfp8', format: 'mxfp8', quantMethod: 'mxfp8'},
  {
    pattern: /[-_.](?:unsloth[-_.])?(?:bnb[-_.]4bit|4bit[-_.]bnb|nf4)$/i,
    weights: 'nf4',
    format: 'nf4',
    quantMethod: 'bitsandbytes',
    assumed: 'NF4 in groups of 64',
  },
  {pattern: /[-_.](?:bf16)$/i, weights: 'bf16', format: 'bf16'},
]

const LAST_PART = /^[\w.-]+\/([\w.-]+)(?::([\w.-]+))?$/

/** GGUF type of a tag or a name, in lower case, without what only says who mixed it. */
const ggufType = (text: string): string | undefined =>
  /^(?:ud-)?((?:i?q\d\w*|tq\d_\d|mxfp4(?:_moe)?|bf16|f16))$/i
    .exec(text)?.[1]
    ?.toLowerCase()
    .replace(/^f16$/, 'fp16')
    .replace(/^mxfp4_moe$/, 'mxfp4')

/** Format of most tensors of a GGUF mixture: `q4_k_m` is mostly `q4_k`. */
function mixtureFormat(type: string): string | undefined {
  for (let name = type; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('_')))) if (isWeightFormat(name)) return name
  return {iq2_m: 'iq2_s', iq3_m: 'iq3_s', iq3_xs: 'iq3_s'}[type]
}

/** Organisations whose builds are packed by ModelSlim for Ascend NPUs. */
const FOR_ASCEND = /^(?:eco-tech|vllm-ascend)\//i

/** Endings of the names of drafts, which run beside a model and not alone. */
const DRAFT = /[-_.](?:speculator[-_.]\w+|eagle\d*(?:\.\d)?(?:[-_.]\w+)?|d(?:flash|spark)\d?(?:[-_.]\w+)?|assistant)$/i

/** Name of the model that a draft is for, by the draft's name; undefined where it is none. */
export function draftedBy(name: string): string | undefined {
  const last = name.trim().split('/').at(-1) ?? ''
  return DRAFT.test(last) ? last.replace(DRAFT, '') : undefined
}

/** The name of a repository taken apart; undefined where it does not say the form. */
export function buildNamed(name: string): NamedBuild | ForeignBuild | undefined {
  const match = LAST_PART.exec(
    name
      .trim()
      .replace(/^https?:\/\/(?:www\.)?huggingface\.co\//, '')
      .replace(/\/+$/, ''),
  )
  if (!match) return undefined
  const [whole, last = '', tag] = match
  const repository = tag === undefined ? whole : whole.slice(0, -tag.length - 1)
  const foreign = FOREIGN.find(({pattern}) => pattern.test(last)) ?? (/^mlx-community\//i.test(whole) ? FOREIGN.find(({form}) => form === 'MLX') : undefined)
  if (foreign)
    return {base: last.replace(foreign.pattern, '').replace(/[-_.](?:\d-?bit|bf16|fp16|int[48])$/i, ''), form: foreign.form, program: foreign.program}
  if (/[-_.]gguf$/i.test(last)) return ggufNamed(repository, last.replace(/[-_.]gguf$/i, ''), tag)
  if (tag !== undefined) return undefined
  const form = FORMS.find(({pattern}) => pattern.test(last))
  if (!form) return undefined
  const {weights, format, others, assumed} = form
  const quantMethod = FOR_ASCEND.test(whole) ? 'ascend' : form.quantMethod
  return {
    repository,
    base: last.replace(form.pattern, ''),
    weights,
    formats: {default: format, ...others},
    ...(quantMethod && {quantMethod}),
    assumed: assumed ? [assumed] : [],
  }
}

function ggufNamed(repository: string, base: string, tag: string | undefined): NamedBuild | undefined {
  const own = /[-_.]((?:ud-)?i?q\d\w*|bf16|f16)$/i.exec(base)
  const type = ggufType(tag ?? own?.[1] ?? '')
  const format = type === undefined ? undefined : mixtureFormat(type)
  if (type === undefined || format === undefined) return undefined
  return {
    repository,
    base: tag === undefined && own ? base.slice(0, own.index) : base.replace(/[-_.]i\d$/i, ''),
    weights: type,
    formats: {default: format},
    quantMethod: 'gguf',
    assumed: /_[ml]$|_xl$/.test(type) ? ["llama.cpp's usual mixture"] : [],
  }
}

export const isForeign = (build: NamedBuild | ForeignBuild): build is ForeignBuild => 'program' in build

/** A name without what says how the weights are kept: what "did you mean" looks for. */
export function withoutForm(name: string): string {
  const build = buildNamed(name)
  const last = (name.split('/').at(-1) ?? name).replace(/:[\w.-]+$/, '')
  return build?.base ?? last.replace(/[-_.]gguf$/i, '')
}

/**
 * The checkpoint that a build's name promises. Where the catalogue has one of the same form, its recipe is the best guess: recipes of
 * different publishers mostly leave the same tensors alone.
 */
export function promisedCheckpoint(build: NamedBuild, model: Model, known: readonly string[]): Checkpoint {
  const {repository, weights} = build
  const organisation = repository.slice(0, repository.indexOf('/') + 1).toLowerCase()
  const forms = model.checkpoints.filter((known) => known.weights === weights && (known.quantMethod === 'ascend') === (build.quantMethod === 'ascend'))
  const own = forms.find((known) => known.hfId.toLowerCase().startsWith(organisation))
  const alike = own ?? forms.find((known) => known.quantMethod === build.quantMethod)
  const quantMethod = own?.quantMethod ?? build.quantMethod
  const publisher = publisherOf(repository, model, known)
  return {
    hfId: repository,
    weights,
    ...(alike ? {formats: alike.formats, ...(alike.exceptions && {exceptions: alike.exceptions})} : recipeOf(build, model.architecture)),
    ...(quantMethod !== undefined && {quantMethod}),
    ...(publisher && {publisher, thirdParty: true}),
    ...(alike?.draftIncluded === false && {draftIncluded: false}),
    formatsAssumed: true,
  }
}

/** Who published a repository of a model: its maker (nothing), a known organisation (in lower case), or anybody. */
export function publisherOf(repository: string, {hfId}: Pick<Model, 'hfId'>, known: readonly string[]): Checkpoint['publisher'] {
  const organisation = (name: string): string => name.slice(0, name.indexOf('/')).toLowerCase()
  const own = organisation(repository)
  return own === organisation(hfId) ? undefined : known.includes(own) ? 'known' : 'community'
}

function recipeOf({weights, formats}: NamedBuild, architecture: Architecture): {formats: TensorFormats; exceptions?: FormatException[]} {
  const larger = LARGER[weights]
  if (!larger)
    return {formats: weights.match(/^i?q\d/) ? {...formats, embedding: formats.default, head: formats.default === 'q8_0' ? 'q8_0' : 'q6_k'} : formats}
  const layers = layersWithMoreBits(architecture.layerSequence.length)
  return {
    formats: {...formats, embedding: architecture.tiedEmbeddings ? larger : formats.default, head: larger},
    exceptions: ['attention.value', 'mlp.out', 'experts.out'].map((tensors) => ({tensors, layers, format: larger})),
  }
}

/** The larger type of llama.cpp's mixtures: the head, and values and down projections of half the layers (src/llama-quant.cpp). */
const LARGER: Record<string, string> = dictionary({q4_k_m: 'q6_k', q5_k_m: 'q6_k'})

/** The first and the last eighth of the layers, and every third between them (`use_more_bits`, the same file). */
function layersWithMoreBits(count: number): number[] {
  const eighth = Math.floor(count / 8)
  return Array.from({length: count}, (_, layer) => layer).filter(
    (layer) => layer < eighth || layer >= Math.floor((7 * count) / 8) || (layer - eighth) % 3 === 2,
  )
}
