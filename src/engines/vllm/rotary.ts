/** The table of sines and cosines that attention rotates by: it is loaded with the model and counts as its weights. */
import type {Architecture} from '../../core/architecture.ts'

/** Share of a head that is rotated, where it is not all (`partial_rotary_factor`, `rotary_dim` in config.json). */
const SHARES: [classes: RegExp, share: number][] = [
  [/^(?:Qwen3_5|Qwen3Next|Qwen4Exp|InternS2)/, 0.25],
  [/^(?:Glm4|MiniMaxM|MiniMaxText)/, 0.5],
  [/^MiMoV2/, 0.334],
]
/** Classes whose positions have three axes (`mrope_section`). */
const THREE_AXES = /^(?:Qwen2VL|Qwen2_5_?(?:VL|Omni)|Qwen3(?:VL|Omni)|Qwen3_5|Qwen4Exp|InternS2|Glm4v)/
/** Tables for three axes hold four times the positions (layers/rotary_embedding/mrope.py cache_max_position_num, 0.27.0). */
const AXES_FACTOR = 4
/** Layers with a window have a table of their own: another base. */
const OWN_WINDOW_BASE = /^(?:Gemma[34]|MiMoV2|Laguna)/
/** Attention that is told no positions. */
const NOT_ROTATED = /^(?:NemotronH|Jamba|GraniteMoeHybrid|Bamba|Zamba)/
const ELEMENT_BYTES = 2

/**
 * One table for each kind of rotation, a row of the rotated width for each position that the configuration allows, 16 bits (layers/rotary_embedding/base.py
 * _compute_cos_sin_cache, get_rope's _ROPE_DICT; 0.24.0, 0.27.0). Gemma 4's global layers keep whole heads, also where only a quarter is rotated
 * (gemma4_rope.py). Logged: 48.57 GiB for Gemma 4 26B of which 0.375 are tables, 1.72 for Qwen3.5-0.8B of which 0.125 are.
 */
export function rotaryBytes(architecture: Architecture): number {
  const {className = '', contextTokens, layerKinds} = architecture
  if (NOT_ROTATED.test(className)) return 0
  const share = SHARES.find(([classes]) => classes.test(className))?.[1] ?? 1
  const rows = contextTokens * (THREE_AXES.test(className) ? AXES_FACTOR : 1)
  const widths = new Map<string, number>()
  for (const mixer of layerKinds.flatMap(({mixers}) => mixers)) {
    if (mixer.kind === 'full') {
      const isWindow = mixer.window !== undefined && OWN_WINDOW_BASE.test(className)
      // Half of a width for sines, half for cosines.
      widths.set(`${mixer.headDim} ${isWindow}`, 2 * Math.floor((mixer.headDim * share) / 2))
    }
    if (mixer.kind === 'mla') widths.set('latent', mixer.ropeHeadDim)
  }
  return [...widths.values()].reduce((sum, width) => sum + rows * width * ELEMENT_BYTES, 0)
}
