import type {Architecture, Encoder} from '../../core/architecture.ts'
import type {Deployment} from '../../core/deployment.ts'
import {isAtLeast} from '../versions.ts'
import {dictionary} from '../../core/dictionary.ts'

/** First release seen in which every model leaves a tower out whose kinds are all limited to nothing (model_executor/models/interfaces.py _mark_tower_model, 0.16.0; not in 0.14.0). */
const TOWERS_LEFT_OUT_SINCE = '0.16.0'
/** The same by the classes themselves (models/qwen2_5_vl.py, qwen3_vl.py, mistral3.py, 0.11.0). */
const CLASSES_SINCE = '0.11.0'
const OWN_RULE = /^(?:Qwen2_5_VL|Qwen3VL|Qwen3_VL|Mistral3)/

/** Kinds of input that a tower reads, as the limits name them. */
const KINDS: Record<string, string[]> = dictionary({vision: ['image', 'video'], audio: ['audio']})

type Asked = Pick<Deployment, 'engineVersion' | 'multimodal'>

/** Nothing may be given that the tower would read. */
function isLimitedToNothing({modality}: Encoder, {multimodal}: Asked): boolean {
  if (!multimodal) return false
  const kinds = KINDS[modality] ?? [modality]
  // What is not limited may come 999 times in a prompt (config/multimodal.py get_limit_per_prompt).
  return multimodal.languageOnly === true || kinds.every((kind) => multimodal.limits?.[kind] === 0)
}

/** The model with the towers that are loaded. */
export function withLoadedTowers(architecture: Architecture, asked: Asked): Architecture {
  const {encoders, className = ''} = architecture
  if (!encoders || !asked.multimodal) return architecture
  const leavesOut = isAtLeast(asked.engineVersion, OWN_RULE.test(className) ? CLASSES_SINCE : TOWERS_LEFT_OUT_SINCE)
  return leavesOut ? {...architecture, encoders: encoders.filter((tower) => !isLimitedToNothing(tower, asked))} : architecture
}

/** The model with the towers that the trial run feeds: a kind that is limited to nothing is not in it (multimodal/profiling.py 0.11.0, encoder_budget.py 0.28.0). */
export const withFedTowers = (architecture: Architecture, asked: Asked): Architecture =>
  architecture.encoders && asked.multimodal
    ? {...architecture, encoders: architecture.encoders.filter((tower) => !isLimitedToNothing(tower, asked))}
    : architecture
