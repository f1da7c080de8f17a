import {ServefitCommand} from '../../cli/base.ts'
import type {EngineData} from '../../engines/engine.ts'
import type {EngineServing} from '../../engines/launch/serving.ts'
import {ENGINES} from '../../engines/registry.ts'
import {enginesTable} from '../../render/engines.ts'

export interface EngineSummary {
  id: string
  title: string
  docsUrl: string
  newestVersion: string
  versions: string[]
  images: {vendor: string; image: string; since?: string; gfx?: string[]}[]
}

export default class EnginesList extends ServefitCommand {
  static override summary = 'The engines that are known: versions, container images, documentation'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<{engines: EngineSummary[]}> {
    await this.parse(EnginesList)
    const engines = Object.keys(ENGINES).map((id): EngineSummary => {
      const {title, docsUrl, newestVersion, versions, images} = this.catalogue.file<EngineData & EngineServing>(`engines/${id}`)
      return {
        id,
        title,
        docsUrl,
        newestVersion,
        versions,
        images: images.map(({vendor, repository, tag, since, gfx}) => ({vendor, image: `${repository}:${tag}`, ...(since && {since}), ...(gfx && {gfx})})),
      }
    })
    if (!this.jsonEnabled()) process.stdout.write(enginesTable(engines, this.columns))
    return {engines}
  }
}
