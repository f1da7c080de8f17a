import {modelToYamlObject} from '../catalogue/model-schema.ts'
import {InputError} from '../core/input-error.ts'
import type {Model} from '../core/model.ts'

/** What a catalogue file for this model says, in the order of the schema. The writer of the text is given: it belongs to rendering. */
export function modelYaml(model: Model, warnings: readonly string[], write: (content: Record<string, unknown>) => string): string {
  if (model.hfId === '')
    throw new InputError('MODEL_NAMELESS', 'The files do not say which repository they are of, which a catalogue file must: give it with --repository org/name')
  const named: Model = {...model, checkpoints: model.checkpoints.map((checkpoint) => (checkpoint.hfId === '' ? {...checkpoint, hfId: model.hfId} : checkpoint))}
  const remarks = warnings.map((warning) => `# ${warning.replaceAll(/[^\x20-\x7E]+/g, ' ')}\n`).join('')
  return `${remarks}${write(modelToYamlObject(named) as unknown as Record<string, unknown>)}`
}
