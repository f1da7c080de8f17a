import {type Fields, invalid, isRecord} from './fields.ts'
import {ModuleList} from './module-rules.ts'
import {cacheFormatOf, compressedTensorsFormat, int4Format, modelOptFormat, quarkFormat} from './number-formats.ts'

/** What a quantisation section says about any module. */
export interface Recipe {
  quantMethod: string
  kvCache?: string
  /** Format of a module by its full name; `layer` is its number where it has one. */
  formatOf: (module: string, layer: number | undefined) => string
  /** Format of the head, asked with its names; heads are left at 16 bits unless the recipe names them. */
  headFormat: (names: string[]) => string
  /** Answers differ between layers for other reasons than the kind of layer. */
  dependsOnLayer: boolean
  /** Parents of the layers that the lists use; empty when they name no layer. */
  listed: string[]
  /** The original was published like this: a mixture that is nobody's conversion. */
  mixture?: boolean
}

const KEPT = 'bf16'

/** Four-bit experts beside another format for the rest. */
const isExpert = (module: string): boolean => /(^|\.)experts(\.|$)|block_sparse_moe\.(?:in|out)put_linear$/.test(module)

const list = (config: Fields, ...spellings: string[]): string[] => {
  const value = config.raw(...spellings)
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []
}

/** A recipe of one format with a list of what is left alone. */
function uniform(quantMethod: string, config: Fields, format: string, ignored: string[], warnings: string[], formatOf?: (module: string) => string): Recipe {
  const kept = new ModuleList(ignored, warnings)
  return {
    quantMethod,
    kvCache: cacheFormatOf(config),
    formatOf: (module, layer) => (kept.names(module, layer) ? KEPT : (formatOf?.(module) ?? format)),
    headFormat: () => KEPT,
    dependsOnLayer: kept.dependsOnLayer,
    listed: ignored,
  }
}

/** `quant_method: fp8`, with or without blocks; DeepSeek-V4 keeps its experts in FP4 (`expert_dtype`). */
function fp8(config: Fields, expertType: string | undefined, warnings: string[]): Recipe {
  const block = config.integers('weight_block_size')
  const general = block ? 'fp8-block' : 'fp8'
  const experts = expertType === 'fp4' ? 'mxfp4' : general
  const recipe = uniform('fp8', config, general, list(config, 'modules_to_not_convert', 'ignored_layers'), warnings, (module) =>
    isExpert(module) ? experts : general,
  )
  const map = perLayerMap(config, warnings)
  if (!map) return {...recipe, mixture: experts !== general}
  // An NVFP4 export on top of the original: what the map does not name stays as it was published.
  return {
    ...recipe,
    formatOf: (module, layer) => map.formatOf(module) ?? recipe.formatOf(module, layer),
    dependsOnLayer: true,
    listed: [...recipe.listed, ...map.listed],
  }
}

/** `quantized_layers`: a format for each named module. */
function perLayerMap(config: Fields, warnings: string[]): {formatOf: (module: string) => string | undefined; listed: string[]} | undefined {
  const value = config.raw('quantized_layers')
  if (!isRecord(value)) return undefined
  const formats = new Map<string, string>()
  for (const [module, settings] of Object.entries(value).slice(0, 500_000)) {
    const algorithm = isRecord(settings) ? settings.quant_algo : undefined
    const format = typeof algorithm === 'string' ? modelOptFormat(algorithm) : undefined
    if (format) formats.set(module, format)
    else if (formats.size === 0) warnings.push(`${config.name('quantized_layers')}: "${String(algorithm).slice(0, 40)}" is not a known quant_algo`)
  }
  return {
    listed: [...formats.keys()],
    formatOf: (module) => {
      for (let name = module; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
        const format = formats.get(name)
        if (format) return format
      }
      return undefined
    },
  }
}

function modelOpt(config: Fields, warnings: string[]): Recipe {
  const algorithm = config.string('quant_algo') ?? config.string('quant_type')
  const ignored = list(config, 'exclude_modules', 'ignore', 'modules_to_not_convert')
  if (algorithm?.toUpperCase() === 'MIXED_PRECISION') {
    const map = perLayerMap(config, warnings)
    if (!map) throw invalid(`${config.name('quantized_layers')} is missing; expected the format of each layer, as quant_algo is MIXED_PRECISION`)
    return {
      quantMethod: 'modelopt',
      kvCache: cacheFormatOf(config),
      formatOf: (module) => map.formatOf(module) ?? KEPT,
      headFormat: (names) => names.map((name) => map.formatOf(name)).find((format) => format !== undefined) ?? KEPT,
      dependsOnLayer: true,
      listed: map.listed,
    }
  }
  const format = algorithm === undefined ? groupFormat(config) : modelOptFormat(algorithm)
  if (!format)
    throw invalid(
      `${config.name('quant_algo')} is ${algorithm === undefined ? 'missing' : `"${algorithm}"`}; expected FP8, NVFP4, W4A16_AWQ, MIXED_PRECISION or another of NVIDIA Model Optimizer`,
    )
  return uniform('modelopt', config, format, ignored, warnings)
}

function groupFormat(config: Fields): string | undefined {
  const groups = config.child('config_groups')
  const first = groups && Object.keys(groups.record)[0]
  const group = first === undefined ? undefined : groups!.child(first)
  return group && compressedTensorsFormat(group, config.string('format'))
}

/** compressed-tensors: groups of targets, each with a scheme; targets are `Linear`, module names or `re:` patterns. */
function compressedTensors(config: Fields, warnings: string[]): Recipe {
  const groups = config.child('config_groups')
  if (!groups) throw invalid(`${config.name('config_groups')} is missing; expected the schemes of compressed-tensors`)
  const ignored = list(config, 'ignore')
  const kept = new ModuleList(ignored, warnings)
  const schemes = Object.keys(groups.record)
    .slice(0, 1000)
    .map((key) => {
      const group = groups.child(key)
      const packing = group?.string('format') ?? config.string('format')
      const format = group && compressedTensorsFormat(group, packing)
      if (!group || !format) throw invalid(`${groups.name(key)}.weights is not a scheme this importer knows; expected num_bits 4 or 8 and a type`)
      const targets = list(group, 'targets')
      return {
        format,
        everything: targets.length === 0 || targets.includes('Linear'),
        targets: new ModuleList(
          targets.filter((target) => target !== 'Linear'),
          warnings,
        ),
        names: targets,
      }
    })
  const named = schemes.filter((scheme) => !scheme.everything)
  const general = schemes.find((scheme) => scheme.everything)
  const formatOf = (module: string, layer: number | undefined): string => {
    if (kept.names(module, layer)) return KEPT
    return named.find((scheme) => scheme.targets.names(module, layer))?.format ?? general?.format ?? KEPT
  }
  const formats = new Set(schemes.map((scheme) => scheme.format))
  return {
    quantMethod: 'compressed-tensors',
    kvCache: cacheFormatOf(config),
    formatOf,
    headFormat: (names) => (names.some((name) => kept.names(name)) ? KEPT : formatOf(names[0]!, undefined)),
    dependsOnLayer: kept.dependsOnLayer || named.some((scheme) => scheme.targets.dependsOnLayer),
    listed: [...ignored, ...schemes.flatMap((scheme) => scheme.names)],
    mixture: formats.size === 1 && [...formats][0]!.includes('4'),
  }
}

function awq(config: Fields, warnings: string[]): Recipe {
  const bits = config.optionalInteger(['bits', 'w_bit'], {max: 32}) ?? 4
  const size = config.optionalInteger(['group_size', 'q_group_size'], {min: -1}) ?? 128
  const zeroPoint = config.boolean('zero_point') ?? true
  if (bits !== 4) throw invalid(`${config.name('bits')} is ${bits}; expected 4, the only width of AWQ`)
  return uniform('awq', config, int4Format(zeroPoint ? 'awq' : 'plain', size), list(config, 'modules_to_not_convert'), warnings)
}

/** GPTQ and what packs like it. `dynamic` has `-:` patterns to leave alone and `+:` patterns with other settings. */
function gptq(config: Fields, quantMethod: string, warnings: string[]): Recipe {
  const formatFor = (settings: Fields): string | undefined => {
    const bits = settings.optionalInteger('bits', {max: 32}) ?? config.integer('bits', {max: 32})
    const size = settings.optionalInteger('group_size', {min: -1}) ?? config.optionalInteger('group_size', {min: -1}) ?? 128
    return bits === 8 ? 'gptq-int8' : bits === 4 ? int4Format('gptq', size) : undefined
  }
  const format = formatFor(config)
  if (!format) throw invalid(`${config.name('bits')} is ${config.integer('bits')}; expected 4 or 8`)
  const dynamic = config.child('dynamic')
  const left: string[] = list(config, 'modules_to_not_convert')
  const other: Array<{list: ModuleList; format: string; pattern: string}> = []
  for (const key of Object.keys(dynamic?.record ?? {}).slice(0, 5000)) {
    const pattern = `re:.*${key.replace(/^[+-]:/, '')}`
    if (key.startsWith('-:')) left.push(pattern)
    else {
      const settings = dynamic!.child(key)
      const special = settings && formatFor(settings)
      if (special) other.push({list: new ModuleList([pattern], warnings), format: special, pattern})
    }
  }
  const recipe = uniform(quantMethod, config, format, left, warnings)
  const head = config.boolean('lm_head') ?? false
  return {
    ...recipe,
    formatOf: (module, layer) => {
      const general = recipe.formatOf(module, layer)
      return general === KEPT ? KEPT : (other.find((entry) => entry.list.names(module, layer))?.format ?? general)
    },
    headFormat: () => (head ? format : KEPT),
    dependsOnLayer: recipe.dependsOnLayer || other.some((entry) => entry.list.dependsOnLayer),
    listed: [...left, ...other.map((entry) => entry.pattern)],
  }
}

/** AMD Quark: one setting for all, others by pattern, and what is left alone. */
function quark(config: Fields, warnings: string[]): Recipe {
  const weight = config.child('global_quant_config')?.child('weight')
  const format = weight && quarkFormat(weight)
  const special = Object.keys(config.child('layer_quant_config')?.record ?? {})
    .slice(0, 5000)
    .flatMap((pattern) => {
      const setting = config.child('layer_quant_config')!.child(pattern)?.child('weight')
      const other = setting && quarkFormat(setting)
      return other ? [{pattern, list: new ModuleList([pattern], warnings), format: other}] : []
    })
  if (!format && special.length === 0)
    throw invalid(`${config.name('global_quant_config')}.weight is not a setting this importer knows; expected a dtype of fp4, fp8_e4m3, int8 or int4`)
  const ignored = list(config, 'exclude')
  const kept = new ModuleList(ignored, warnings)
  return {
    quantMethod: 'quark',
    kvCache: cacheFormatOf(config),
    formatOf: (module, layer) => (kept.names(module, layer) ? KEPT : (special.find((entry) => entry.list.names(module, layer))?.format ?? format ?? KEPT)),
    headFormat: () => KEPT,
    dependsOnLayer: kept.dependsOnLayer || special.some((entry) => entry.list.dependsOnLayer),
    listed: [...ignored, ...special.map((entry) => entry.pattern)],
  }
}

/**
 * The recipe of a `quantization_config`, `compression_config` or `hf_quant_config.json` section.
 *
 * @throws InputError MODEL_CONFIG_INVALID for a method that is not known: the bytes of its weights could not be told.
 */
export function recipeOf(config: Fields, expertType: string | undefined, warnings: string[]): Recipe {
  const method = (
    config.string('quant_method') ?? (config.has('quant_algo') ? 'modelopt' : config.has('config_groups') ? 'compressed-tensors' : '')
  ).toLowerCase()
  switch (method) {
    case 'fp8':
      return fp8(config, expertType, warnings)
    case 'fbgemm_fp8':
      return uniform(method, config, 'fp8-channel', list(config, 'modules_to_not_convert'), warnings)
    case 'compressed-tensors':
      return compressedTensors(config, warnings)
    case 'modelopt':
    case 'modelopt_fp4':
    case 'modelopt_mixed':
    case 'nvfp4':
      return modelOpt(config, warnings)
    case 'awq':
    case 'awq_marlin':
      return awq(config, warnings)
    case 'gptq':
    case 'gptq_marlin':
    case 'gptqmodel':
      return gptq(config, 'gptq', warnings)
    case 'auto-round':
    case 'auto_round':
    case 'intel/auto-round':
      return gptq(config, 'auto-round', warnings)
    case 'quark':
      return quark(config, warnings)
    case 'mxfp4':
      return uniform(method, config, KEPT, list(config, 'modules_to_not_convert'), warnings, (module) => (isExpert(module) ? 'mxfp4' : KEPT))
    case 'mxfp8':
      return uniform(method, config, 'mxfp8', list(config, 'modules_to_not_convert', 'ignored_layers'), warnings)
    case 'bitsandbytes':
    case 'bnb': {
      const format = config.boolean('load_in_8bit', '_load_in_8bit') ? 'int8' : 'nf4'
      return uniform('bitsandbytes', config, format, list(config, 'llm_int8_skip_modules'), warnings)
    }
    default:
      throw invalid(
        `${config.name('quant_method')} is ${method === '' ? 'missing' : `"${method}"`}; expected fp8, compressed-tensors, awq, gptq, modelopt, mxfp4, bitsandbytes, quark or auto-round`,
      )
  }
}
