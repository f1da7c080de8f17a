import type {Checkpoint, Model} from './model.ts'

/** Made once for a checkpoint: sums over weights are remembered by architecture. */
const CONFIGURED = new WeakMap<Checkpoint, Model>()
const ORIGINAL = new WeakMap<Model, Model>()

/** The model as the configuration of one of its checkpoints has it: whoever repacks weights sometimes changes the context as well. */
export function asConfigured(model: Model, checkpoint: Checkpoint): Model {
  const original = ORIGINAL.get(model) ?? model
  const {contextTokens} = checkpoint
  if (contextTokens === undefined || contextTokens === original.architecture.contextTokens) return original
  const known = CONFIGURED.get(checkpoint)
  if (known && ORIGINAL.get(known) === original) return known
  const configured = {...original, architecture: {...original.architecture, contextTokens}}
  CONFIGURED.set(checkpoint, configured)
  ORIGINAL.set(configured, original)
  return configured
}
