import {stamped} from '../../library/stamp.ts'
import {existsSync} from 'node:fs'
import {basename, join} from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../../cli/base.ts'
import {withProgress} from '../../cli/progress.ts'
import {sourceFlags, sourcesFrom} from '../../cli/source-flags.ts'
import {userModelsFolder} from '../../cli/user-models.ts'
import {realContext} from '../../cli/world.ts'
import {displayName, isRepositoryName, modelId} from '../../catalogue/import/model-names.ts'
import {InputError} from '../../core/input-error.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {requireLayers} from '../../planner/answer/index.ts'
import {detailsOf, type ModelDetails} from '../../planner/models/index.ts'
import {modelOf} from '../../planner/world/index.ts'
import {renderModel} from '../../render/model.ts'

export default class ModelsImport extends ServefitCommand {
  static override summary = 'Bring in a model from its own files: a folder, a .gguf, a config.json, or a repository'
  static override description =
    'Reads the headers of weight files, never the weights. A repository that is not in the catalogue is taken from the local Hugging Face cache, or else from the hub (HF_ENDPOINT, HF_TOKEN).'
  static override examples = [
    '<%= config.bin %> <%= command.id %> examples/my-model',
    '<%= config.bin %> <%= command.id %> examples/my-model/config.json --json',
    '<%= config.bin %> <%= command.id %> examples/my-model --save my-model.yaml',
  ]
  static override args = {
    model: Args.string({required: true, description: 'a path, or a repository (org/name, org/name:Q4_K_M)'}),
    file: Args.string({
      description:
        'where --save writes: a file, or - for standard output (default: ID.yaml in ~/.config/servefit/models, where every command looks; in a clone data/models/ORG/ID.yaml)',
    }),
  }
  static override flags = {
    ...sourceFlags,
    save: Flags.boolean({description: 'write it as a file of the catalogue'}),
    repository: Flags.string({description: 'the repository of the files, if they do not name it', helpValue: 'ORG/NAME'}),
    force: Flags.boolean({description: 'replace the file of --save if it exists', dependsOn: ['save']}),
  }

  async run(): Promise<{schemaVersion: 2; model: ModelDetails; warnings: string[]}> {
    const {args, flags} = await this.parse(ModelsImport)
    if (args.file !== undefined && !flags.save) throw new InputError('FLAGS_INVALID', `${args.file}: a second name is where --save writes, which was not given`)
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const {model: read, checkpoint, warnings: remarks, notes = []} = await withProgress(`reading ${args.model}`, () => modelOf(context, args.model))
    requireLayers(read)
    const warnings = [...notes.map(({message}) => message), ...remarks]
    if (flags.repository !== undefined && !isRepositoryName(flags.repository))
      throw new InputError('REPOSITORY_INVALID', `--repository ${flags.repository}: expected one such as Qwen/Qwen3-32B`)
    const model = flags.repository === undefined ? read : {...read, hfId: flags.repository}
    const details = detailsOf(model)
    if (flags.save) await this.save(flags.repository === undefined ? ownModel(read, checkpoint) : model, warnings, args.file, flags.force)
    else if (!this.jsonEnabled()) process.stdout.write(renderModel(details, warnings, this.look))
    return stamped(this.catalogue, {schemaVersion: 2 as const, model: details, warnings})
  }

  private async save(model: Model, warnings: string[], given: string | undefined, force: boolean): Promise<void> {
    const [{modelYaml}, {yamlText}, {saveFile}] = await Promise.all([
      import('../../import/model-yaml.ts'),
      import('../../render/launch/yaml.ts'),
      import('../../cli/save-file.ts'),
    ])
    const text = modelYaml(model, warnings, yamlText)
    const file = given ?? usualFile(model)
    if (file === '-') {
      if (this.jsonEnabled()) throw new InputError('FLAGS_INVALID', '--save - and --json both write to standard output: give one of them')
      process.stdout.write(text)
      return
    }
    await saveFile(file, text, {force})
    if (!this.jsonEnabled()) this.sayWritten([file])
  }
}

/** Where its weights lie is part of what is saved, and it goes by the name of its folder: its configuration may name the base that it was trained from. */
function ownModel(read: Model, checkpoint: Checkpoint | undefined): Model {
  if (checkpoint?.path === undefined) return read
  const name = basename(checkpoint.path).replace(/\.gguf$/i, '')
  return {...read, id: modelId(name), name: displayName(name), checkpoints: [checkpoint, ...read.checkpoints.slice(1)]}
}

/** Where the catalogue keeps such a file, in a checkout of it; the user's own models elsewhere. */
function usualFile({hfId, id}: Model): string {
  const organisation = modelId(hfId.split('/')[0]!)
  return existsSync(join('data', 'models')) ? join('data', 'models', organisation, `${id}.yaml`) : join(userModelsFolder(process.env), `${id}.yaml`)
}
