import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../../cli/base.ts'
import {lookFlags} from '../../cli/look-flags.ts'
import {InputError} from '../../core/input-error.ts'
import {nearest, quotedShort} from '../../core/nearest.ts'
import type {EngineData} from '../../engines/engine.ts'
import type {EngineServing} from '../../engines/launch/serving.ts'
import {ENGINE_ALIASES, ENGINES} from '../../engines/registry.ts'
import {enginesTable, renderEngine} from '../../render/engines.ts'

export interface EngineSummary {
  id: string
  title: string
  docsUrl: string
  newestVersion: string
  versions: string[]
  images: {vendor: string; image: string; since?: string; gfx?: string[]}[]
}

export default class EnginesList extends ServefitCommand {
  static override summary = 'The known engines: releases, container images, documentation'
  static override description = 'Name one to see every release that is known.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> vllm', '<%= config.bin %> <%= command.id %> --json']
  static override flags = lookFlags
  static override args = {name: Args.string({description: 'an engine'})}

  async run(): Promise<{schemaVersion: 2; engines: EngineSummary[]} | {schemaVersion: 2; engine: EngineSummary}> {
    const {args} = await this.parse(EnginesList)
    if (args.name !== undefined) {
      const engine = this.summary(idOf(args.name))
      if (!this.jsonEnabled()) process.stdout.write(renderEngine(engine, this.columns))
      return {schemaVersion: 2, engine}
    }
    const engines = Object.keys(ENGINES).map((id) => this.summary(id))
    if (!this.jsonEnabled()) process.stdout.write(enginesTable(engines, this.look))
    return {schemaVersion: 2, engines}
  }

  private summary(id: string): EngineSummary {
    const {title, docsUrl, newestVersion, versions, images} = this.catalogue.file<EngineData & EngineServing>(`engines/${id}`)
    return {
      id,
      title,
      docsUrl,
      newestVersion,
      versions,
      images: images.map(({vendor, repository, tag, since, gfx}) => ({vendor, image: `${repository}:${tag}`, ...(since && {since}), ...(gfx && {gfx})})),
    }
  }
}

function idOf(name: string): string {
  const asked = name.toLowerCase()
  const id = Object.hasOwn(ENGINE_ALIASES, asked) ? ENGINE_ALIASES[asked]! : asked
  if (Object.hasOwn(ENGINES, id)) return id
  throw new InputError('ENGINE_UNKNOWN', `No engine named ${quotedShort(name)}: expected ${Object.keys(ENGINES).join(', ')}`, {
    suggestions: nearest(name, Object.keys(ENGINES)),
  })
}
