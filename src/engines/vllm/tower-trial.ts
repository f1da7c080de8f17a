/**
 * What vLLM's trial run feeds an image tower: as many items as a batch may hold of the kind with the most embeddings, at least one
 * (multimodal/encoder_budget.py, v1/core/encoder_cache_manager.py compute_mm_encoder_budget, v1/worker/gpu_model_runner.py profile_run; 0.10.2 to 0.33.0).
 */
import type {Architecture, Encoder} from '../../core/architecture.ts'
import type {Deployment} from '../../core/deployment.ts'
import type {Subject} from '../engine.ts'
import type {TowerTrial} from '../overheads.ts'
import {isAtLeast} from '../versions.ts'
import {usesSecondRunner} from './runner.ts'

/** An image or a video as large as the processor lets it be. */
interface Item {
  kind: 'image' | 'video'
  embeddings: number
  /** Patches that the tower looks at for it. */
  patches: number
  /** Embeddings that the engine keeps room for, where these are more. */
  keptEmbeddings?: number
}

interface Asked {
  contextTokens: number
  version: string
  /** Pixels of the largest image, where they are limited by hand. */
  pixels?: number
}

interface Family {
  items(asked: Asked, tower: Encoder): Item[]
  /** Elements of one patch as the processor hands it over. */
  pixels: number
  /** Vectors of each patch that live on every rank at the peak. */
  wholeVectors: number
  /** Vectors of the language model's width for each embedding. */
  vectors?: number
}

const image = (embeddings: number, patchesPerEmbedding: number): Item => ({kind: 'image', embeddings, patches: embeddings * patchesPerEmbedding})

/** Largest image of the Qwen-VL processors: 12,845,056 pixels of 28 x 28 (Qwen2-VL), 16,777,216 of 32 x 32 (Qwen3-VL). */
const QWEN_IMAGE = 16384
/** Embeddings of an image that may have so many pixels at most, one for `side` x `side` of them. */
const limited = (embeddings: number, pixels: number | undefined, side: number): number =>
  pixels === undefined ? embeddings : Math.max(1, Math.min(embeddings, Math.floor(pixels / side ** 2)))
/** Most frames of a trial's video: 16 in 0.10.2, 14 from 0.11.0 (models/qwen2_vl.py _MAX_FRAMES_PER_VIDEO); two share their embeddings. */
const videoFrames = (version: string): number => (isAtLeast(version, '0.11.0') ? 14 : 16)

/** A video of the largest frames, as many as the context holds (models/qwen2_vl.py get_num_frames_with_most_features). */
function qwen2Items({contextTokens, version, pixels}: Asked): Item[] {
  const largest = limited(QWEN_IMAGE, pixels, 28)
  const pairs = Math.max(1, Math.min(videoFrames(version) / 2, Math.floor(contextTokens / largest)))
  return [image(largest, 4), {kind: 'video', embeddings: pairs * largest, patches: pairs * largest * 4}]
}

/**
 * Qwen3-VL's video: 25,165,824 pixels over two frames. Up to 0.12.0 its embeddings counted 12.5 times, for the time stamps between them, which made it
 * the largest item (models/qwen3_vl.py get_max_video_tokens), and the cache held as many (gpu_model_runner.py profile_run, expanded_outputs).
 */
const QWEN3_VIDEO = 12288
const COUNTED_ONCE_SINCE = '0.13.0'
function qwen3Items({version, pixels}: Asked): Item[] {
  const video = limited(QWEN3_VIDEO, pixels === undefined ? undefined : pixels / 2, 32)
  return [
    image(limited(QWEN_IMAGE, pixels, 32), 4),
    {kind: 'video', embeddings: video, patches: video * 4, ...(!isAtLeast(version, COUNTED_ONCE_SINCE) && {keptEmbeddings: video * 12.5})},
  ]
}

/** InternVL: an image is 12 tiles and the whole, 256 embeddings each; a video as many tiles as the context holds beside an image (models/internvl.py). */
const INTERN_TILE = 256
const INTERN_IMAGE = 13 * INTERN_TILE
const internItems = ({contextTokens}: Asked): Item[] => {
  const frames = Math.max(1, Math.floor((contextTokens - INTERN_IMAGE) / INTERN_TILE))
  return [image(INTERN_IMAGE, 4), {kind: 'video', embeddings: frames * INTERN_TILE, patches: frames * INTERN_TILE * 4}]
}

/** Embeddings of the largest image where nothing more is known. */
const itemTokens = (tower: Encoder): number => tower.maxTokensPerItem ?? QWEN_IMAGE
/** Patches that a tower looks at for one embedding: 2 x 2 (Qwen-VL), 3 x 3 where it hands on a few hundred (Gemma 4: 280), 4 x 4 for 256 (Gemma 3). */
const patchesPerEmbedding = (tokens: number): number => (tokens <= 256 ? 16 : tokens <= 1024 ? 9 : 4)

const UNKNOWN: Family = {
  items: (_asked, tower) => [image(itemTokens(tower), patchesPerEmbedding(itemTokens(tower)))],
  pixels: 3 * 14 * 14,
  wholeVectors: 4,
}
const QWEN2: Family = {items: qwen2Items, pixels: 3 * 2 * 14 * 14, wholeVectors: 4}
/** Beside the stream before and after a layer and its norm: what attention adds, fused with the norm after it (models/qwen2_5_vl.py Qwen2_5_VisionBlock). */
const QWEN2_5: Family = {...QWEN2, wholeVectors: 5}
/** The embeddings of places live on beside the streams (models/qwen3_vl.py Qwen3_VisionTransformer.forward). */
const QWEN3_5: Family = {items: qwen3Items, pixels: 3 * 2 * 16 * 16, wholeVectors: 4}
/** Three layers of the tower hand on features too (vision_config.deepstack_visual_indexes). */
const QWEN3_VL: Family = {...QWEN3_5, vectors: 4}

/** Gemma 4: an image of 280 embeddings, a video of 32 frames of 70 with 8 words around each, 3 x 3 patches for an embedding (models/gemma4_mm.py). */
const gemma4Items = (): Item[] => [image(280, 9), {kind: 'video', embeddings: 32 * 78, patches: 32 * 70 * 9}]

const FAMILIES: [classes: RegExp, family: Family][] = [
  [/^Qwen2VL/, QWEN2],
  [/^Qwen2_5_?(?:VL|Omni)/, QWEN2_5],
  [/^Qwen3_5|^Qwen4Exp|^InternS2/, QWEN3_5],
  [/^Qwen3(?:VL|Omni)/, QWEN3_VL],
  [/^Gemma4For/, {...UNKNOWN, items: gemma4Items, pixels: 3 * 16 * 16}],
  [/^(?:InternVL|SkyworkR1V)/, {...UNKNOWN, items: internItems}],
  // Pixtral as Transformers has it: 1,024 pixels in patches of 16, none of them merged (models/llava.py, models/pixtral.py).
  [/^Llava/, {...UNKNOWN, items: () => [image(4096, 1)], pixels: 3 * 16 * 16}],
  // An image of 3,000 x 3,000 in patches of 14, merged 2 x 2 (models/kimi_k25.py MaxImageTokenMeta).
  [/^KimiK25/, {...UNKNOWN, items: () => [image(107 * 107, 4)]}],
]

const familyOf = ({className = ''}: Architecture): Family => FAMILIES.find(([classes]) => classes.test(className))?.[1] ?? UNKNOWN

const visionTower = (architecture: Architecture): Encoder | undefined =>
  architecture.encoders?.find(({modality, hiddenSize}) => modality === 'vision' && hiddenSize !== undefined)

/**
 * Vectors of each patch that the ranks share: the larger of attention (queries, keys and values, those to be rotated, rotated, and what comes out: 3 + 2 + 2
 * + 1; models/qwen2_5_vl.py Qwen2_5_VisionAttention) and the feed-forward part (4 before and 4 after its activation, or 5.3 and 2.7 with a gate).
 */
const SHARED_VECTORS = 8

/** `--mm-processor-kwargs` that limit an image: max_pixels, or the size's longest edge, which is pixels too (models/qwen2_vl.py get_image_size_with_most_features). */
function limitOfPixels({engineFlags}: Deployment): number | undefined {
  const given = engineFlags?.['--mm-processor-kwargs']
  if (typeof given !== 'string') return undefined
  try {
    const {max_pixels: most, size} = JSON.parse(given) as {max_pixels?: unknown; size?: {longest_edge?: unknown}}
    const pixels = most ?? size?.longest_edge
    return typeof pixels === 'number' && pixels > 0 ? pixels : undefined
  } catch {
    return undefined
  }
}

/** Most items of a batch (encoder_budget.py _get_max_items): what its tokens hold, and what all requests may bring. */
function itemCount(item: Item, {maxNumBatchedTokens, maxNumSeqs, maxModelLen, multimodal}: Deployment): number {
  const tokens = item.keptEmbeddings ?? item.embeddings
  const perPrompt = Math.max(1, Math.min(multimodal?.limits?.[item.kind] ?? Number.POSITIVE_INFINITY, Math.floor(maxModelLen / tokens)))
  return Math.max(1, Math.min(Math.floor(Math.max(maxNumBatchedTokens, tokens) / tokens), maxNumSeqs * perPrompt))
}

/**
 * The tower's part of the trial run; undefined without one. `fed`: with the towers that the trial feeds. `patchesAtOnce`: where a tower takes its batch in
 * parts (Gemma 4).
 */
export function towerTrial(subject: Subject, deployment: Deployment, fed: Architecture, tp: number, patchesAtOnce?: number): TowerTrial | undefined {
  const tower = visionTower(fed)
  if (!tower || deployment.engineFlags?.['--skip-mm-profiling'] === true) return undefined
  const {engineVersion: version, maxModelLen: contextTokens, multimodal} = deployment
  const family = familyOf(fed)
  const items = family.items({contextTokens, version, pixels: limitOfPixels(deployment)}, tower).filter(({kind}) => multimodal?.limits?.[kind] !== 0)
  // Of two kinds as large the last by name is taken (get_modality_with_max_tokens).
  const tokensOf = (item: Item) => item.keptEmbeddings ?? item.embeddings
  const item = items.reduce((a, b) => (tokensOf(b) >= tokensOf(a) ? b : a), items[0] ?? image(0, 0))
  if (item.embeddings === 0) return undefined
  const count = itemCount(item, deployment)
  const patches = patchesAtOnce ?? count * item.patches
  const width = tower.hiddenSize! * (family.wholeVectors + SHARED_VECTORS / tp)
  const given = count * item.patches * family.pixels
  const vectors = family.vectors ?? 1
  const vectorWidth = fed.hiddenSize * vectors
  const embeddings = count * item.embeddings
  // The first runner holds the pixels until the trial is over (profile_run's own variables), the second lets them go.
  const pixels = usesSecondRunner(subject, deployment) ? 0 : given
  // What is kept takes the place of what came out (expanded_outputs).
  const kept = count * (item.keptEmbeddings ?? item.embeddings)
  return {
    // The embeddings themselves come when the last layer is done; features of earlier layers are there by then.
    peakElements: patches * width + given + embeddings * fed.hiddenSize * (vectors - 1),
    heldElements: pixels + kept * vectorWidth,
    because: `${count === 1 ? `one ${item.kind}` : `${count} ${item.kind}s`} of ${item.embeddings} embeddings: ${patches} patches x ${Math.round(width)} elements`,
  }
}
