import type {Accelerator, Machine} from '../../core/accelerator.ts'
import {isWeightFormat, weightFormat} from '../../core/formats.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import type {Quality} from '../../core/quality.ts'
import type {Reason, Warning} from '../../core/terms.ts'
import type {Engine} from '../../engines/engine.ts'
import {isVersion} from '../../engines/versions.ts'
import {byFidelity, subjectOf} from '../answer/index.ts'

/** native: computed in its own format; weight-only: stored so, computed in 16 bits; unlisted: no engine's list has the architecture. */
export type SupportStatus = 'native' | 'weight-only' | 'refused' | 'unlisted'

export interface SupportCell {
  engine: string
  engineVersion: string
  weights: string
  hfId: string
  gpu: string
  /** What is known of the checkpoint's loss against the original. */
  quality?: Quality
  status: SupportStatus
  reasons: Reason[]
  warnings: Warning[]
}

/** One GPU of each class whose rules differ, by generation: Turing to Blackwell, CDNA 3 and 4, RDNA 3. */
export const GPU_CLASSES = ['t4', 'a100-80gb-sxm', 'rtx-4090', 'h100-sxm', 'b200-sxm', 'rtx-5090', 'mi300x', 'mi355x', 'rx-7900-xtx'] as const

const alone = (accelerator: Accelerator): Machine => ({
  gpus: [{index: 0, accelerator, memoryBytes: accelerator.memoryBytes}],
  nodeCount: 1,
  link: {kind: 'other'},
  detected: false,
})

/** Checkpoints whose support can differ: one of each format. */
export function distinctFormats(model: Model): Checkpoint[] {
  const seen = new Set<string>()
  return byFidelity(model, model.checkpoints).filter((checkpoint) => {
    const key = `${checkpoint.weights} ${checkpoint.quantMethod ?? ''} ${JSON.stringify(Object.values(checkpoint.formats).sort())}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Whether an engine loads a checkpoint on one GPU of a kind; memory and layout are another question. */
export function supportCell(engine: Engine, engineVersion: string | undefined, model: Model, checkpoint: Checkpoint, accelerator: Accelerator): SupportCell {
  const subject = subjectOf({model, checkpoint, machine: alone(accelerator)})
  const deployment = engine.resolve(subject, {tp: 1, pp: 1, dp: 1, ep: 1, ...(engineVersion !== undefined && isVersion(engineVersion) && {engineVersion})})
  const {reasons, warnings} = engine.support(subject, deployment)
  return {
    engine: engine.id,
    engineVersion: deployment.engineVersion,
    weights: checkpoint.weights,
    hfId: checkpoint.hfId,
    gpu: accelerator.id,
    ...(checkpoint.quality && {quality: checkpoint.quality}),
    status: statusOf(checkpoint, reasons, warnings),
    reasons,
    warnings,
  }
}

function statusOf({formats}: Checkpoint, reasons: readonly Reason[], warnings: readonly Warning[]): SupportStatus {
  if (reasons.length > 0) return 'refused'
  if (warnings.some(({code}) => code === 'architecture-unlisted')) return 'unlisted'
  if (warnings.some(({code}) => code === 'weight-only-fallback')) return 'weight-only'
  return isWeightFormat(formats.default) && weightFormat(formats.default).weightOnly ? 'weight-only' : 'native'
}
