import {modelToYamlObject} from '../catalogue/model-schema.ts'
import {InputError} from '../core/input-error.ts'
import type {Model} from '../core/model.ts'

/** What a catalogue file for this model says, in the order of the schema. The writer of the text is given: it belongs to rendering. */
export function modelYaml(model: Model, warnings: readonly string[], write: (content: Record<string, unknown>) => string): string {
  const local = model.checkpoints.some(({path}) => path !== undefined)
  if (model.hfId === '' && !local)
    throw new InputError('MODEL_NAMELESS', 'The files do not name their repository, which a catalogue file needs: give it with --repository org/name')
  // Weights on this machine have no repository: a name of their own stands in its place.
  const hfId = model.hfId === '' ? `local/${model.id}` : model.hfId
  const isRepository = (name: string): boolean => /^[\w.-]+\/[\w.-]+$/.test(name) && !name.startsWith('.')
  const named: Model = {
    ...model,
    hfId,
    checkpoints: model.checkpoints.map((checkpoint) =>
      isRepository(checkpoint.hfId) ? checkpoint : {...checkpoint, hfId: local ? `local/${model.id}` : hfId},
    ),
  }
  const remarks = warnings.map((warning) => `# ${warning.replaceAll(/[^\x20-\x7E]+/g, ' ')}\n`).join('')
  return `${remarks}${write(modelToYamlObject(named) as unknown as Record<string, unknown>)}`
}
