/** The recipes inside vLLM's source distribution as launches: one for every variant on every card that the recipe speaks of. */
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parse} from 'yaml'
import {cardsFor, parallelOf, type Published, wordsOf} from './read.ts'

/** Cards of one tensor-parallel group: one number, or one for each card, generation or brand, and `default` for the rest. */
type Parallel = number | Record<string, number>

interface Override {
  extra_args?: string[]
  extra_env?: Record<string, string>
}

interface Variant extends Override {
  model_id?: string
  precision?: string
  vram_minimum_gb?: number
  tp?: Parallel
  supported_hardware?: string[]
  hardware_overrides?: Record<string, Override>
}

interface Recipe {
  meta: {tasks?: string[]; hardware?: Record<string, string>}
  model: {model_id: string; base_args?: string[]; base_env?: Record<string, string>}
  features?: Record<string, {args?: string[]}>
  opt_in_features?: string[]
  variants: Record<string, Variant>
  hardware_overrides?: Record<string, Override>
  strategy_overrides?: Record<string, {tp?: Parallel}>
}

interface Card {
  gpu: string
  /** Memory in GB as the recipes' own profiles have it. */
  gigabytes: number
  /** Its generation, then its brand. */
  classes: string[]
  /** Other cards whose status speaks for this one. */
  sameAs?: string[]
  /** Only where a recipe names it. */
  isRestricted?: boolean
}

/** By the names of `hardware_profiles` in taxonomy.yaml of vllm-project/recipes: brand, generation, card. */
const CARDS: Record<string, Card> = {
  h200: {gpu: 'h200-sxm', gigabytes: 141, classes: ['hopper', 'nvidia']},
  b200: {gpu: 'b200-sxm', gigabytes: 180, classes: ['blackwell', 'nvidia'], sameAs: ['b300', 'gb200', 'gb300']},
  mi300x: {gpu: 'mi300x', gigabytes: 192, classes: ['amd'], sameAs: ['mi325x']},
  mi355x: {gpu: 'mi355x', gigabytes: 288, classes: ['amd'], sameAs: ['mi350x'], isRestricted: true},
  rtx_pro_6000: {gpu: 'rtx-pro-6000-blackwell-server', gigabytes: 96, classes: ['blackwell', 'nvidia'], isRestricted: true},
  rtx_5090: {gpu: 'rtx-5090', gigabytes: 32, classes: ['blackwell', 'nvidia'], isRestricted: true},
  dgx_spark_gb10: {gpu: 'gb10', gigabytes: 128, classes: ['blackwell', 'nvidia'], isRestricted: true},
}

/** Features whose options we write too; the others are there on request. */
const FEATURES = ['tool_calling', 'reasoning']
/** Formats that only Blackwell has kernels of its own for (`PRECISION_HARDWARE_CONSTRAINTS` of the recipes' site). */
const BLACKWELL_ONLY = new Set(['nvfp4', 'fp4', 'nvidia_nvfp4'])
/** Tasks of models that the planner does not judge. */
const OTHER_TASKS = new Set(['ocr', 'embedding', 'reranking', 'audio', 'speech', 'asr', 'tts', 'image', 'video', 'omni'])

export interface Recipes {
  launches: Published[]
  /** `vLLM 0.33.0 recipes/models`. */
  source: string
  count: number
}

/** What the recipes of an unpacked source distribution start. */
export function recipesOf(release: string): Recipes {
  const base = join(release, 'recipes', 'models')
  const version = /^Version: (.+)$/m.exec(readFileSync(join(release, 'PKG-INFO'), 'utf8'))?.[1] ?? 'of unknown release'
  const recipes = readdirSync(base, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => parse(readFileSync(join(base, name), 'utf8'), {maxAliasCount: 100}) as Recipe)
  return {launches: recipes.flatMap(launchesOf), source: `vLLM ${version} recipes/models`, count: recipes.length}
}

function launchesOf(recipe: Recipe): Published[] {
  if ((recipe.meta.tasks ?? []).some((task) => OTHER_TASKS.has(task))) return []
  return Object.entries(recipe.variants).flatMap(([name, variant]) =>
    Object.keys(CARDS)
      .filter((card) => isSpokenOf(recipe, variant, card))
      .map((card) => launchOf(recipe, name, variant, card)),
  )
}

/** Whether somebody would start this variant on that card by the recipe's word. */
function isSpokenOf({meta, hardware_overrides: general = {}}: Recipe, variant: Variant, card: string): boolean {
  const {classes, sameAs = [], isRestricted = false} = CARDS[card]!
  const names = [card, ...sameAs]
  if (variant.supported_hardware && !names.some((name) => variant.supported_hardware!.includes(name))) return false
  if (BLACKWELL_ONLY.has(variant.precision ?? '') && !classes.includes('blackwell')) return false
  const isNamed = names.some((name) => meta.hardware?.[name] !== undefined || variant.hardware_overrides?.[name] !== undefined)
  if (isRestricted) return isNamed
  return card === 'h200' || isNamed || classes.slice(0, 1).some((name) => general[name] !== undefined || variant.hardware_overrides?.[name] !== undefined)
}

function launchOf(recipe: Recipe, name: string, variant: Variant, card: string): Published {
  const {gpu, gigabytes} = CARDS[card]!
  const own = [recipe, variant].flatMap(({hardware_overrides: all}) => overridesOf(all, CARDS[card]!, card))
  const features = FEATURES.filter((feature) => !recipe.opt_in_features?.includes(feature)).flatMap((feature) => recipe.features?.[feature]?.args ?? [])
  const cardWords = wordsOf(own.flatMap(({extra_args: args = []}) => args))
  const cardEnvironment = Object.assign({}, ...own.map(({extra_env: variables}) => variables)) as Record<string, string>
  // An option given again takes the place of the first: recipes are put together so.
  const words = [...wordsOf([...(recipe.model.base_args ?? []), ...features, ...(variant.extra_args ?? [])]), ...cardWords]
  const count =
    parallelOf(cardWords) ??
    parallelOf(words) ??
    cardsOf(variant.tp, card) ??
    cardsOf(recipe.strategy_overrides?.single_node_tp?.tp, card) ??
    cardsFor(Number(variant.vram_minimum_gb) || 0, gigabytes)
  return {
    from: 'vllm recipe',
    engine: 'vllm',
    repository: variant.model_id ?? recipe.model.model_id,
    gpu,
    count,
    words,
    environment: {...recipe.model.base_env, ...variant.extra_env, ...cardEnvironment},
    card: {words: cardWords, environment: cardEnvironment},
    label: `${card}, ${name}`,
  }
}

/** What a recipe says of this card: by its own name before its generation's, its brand's and `default`; nothing where it speaks of others only. */
function cardsOf(parallel: Parallel | undefined, card: string): number | undefined {
  if (typeof parallel !== 'object') return parallel
  return [card, ...CARDS[card]!.classes, 'default'].map((name) => parallel[name]).find((count) => count !== undefined)
}

/** A generation's overrides take the place of its brand's, a card's come on top. */
function overridesOf(all: Record<string, Override> | undefined, {classes}: Card, card: string): Override[] {
  const ofClass = classes.map((name) => all?.[name]).find((override) => override !== undefined)
  return [ofClass, all?.[card]].filter((override) => override !== undefined)
}
