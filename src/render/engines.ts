import {commandLines} from './command-lines.ts'
import {padEnd, wrap} from './style.ts'
import {type Look, tablesOf} from './look.ts'
import {table} from './tables.ts'

interface Row {
  id: string
  title: string
  docsUrl: string
  newestVersion: string
  versions: string[]
  images: {vendor: string; image: string; since?: string; gfx?: string[]}[]
}

/** Engines with their releases and documentation, then their images. */
export function enginesTable(engines: readonly Row[], look: Look): string {
  const width = tablesOf(look)
  const list = table(
    engines,
    [
      {title: 'Engine', value: ({id}) => id},
      {title: 'Name', value: ({title}) => title, expendable: 3},
      {title: 'Newest', value: ({newestVersion}) => newestVersion},
      {title: 'From', value: ({versions}) => versions[0] ?? '', expendable: 1},
      {title: 'Releases', value: ({versions}) => String(versions.length), right: true, expendable: 2},
      {title: 'Documentation', value: ({docsUrl}) => docsUrl},
    ],
    width,
  )
  const images = table(
    engines.flatMap(({id, images: own}) => own.map((image) => ({id, ...image}))),
    [
      {title: 'Engine', value: ({id}) => id, names: true},
      {title: 'For', value: ({vendor, gfx}) => `${vendor}${gfx ? ` ${gfx.join(' ')}` : ''}`, names: true},
      {title: 'Image', value: ({image}) => image},
    ],
    width,
  )
  return `${list}\n${images}\n${wrap('servefit engines support MODEL says which formats each one loads on which GPUs.', look.columns)}\n`
}

/** One engine for people. */
export function renderEngine({id, title, docsUrl, newestVersion, versions, images}: Row, columns: number): string {
  const row = (label: string, text: string) => `  ${padEnd(label, 14)}${wrap(text, columns - 16, 16)}`
  const lines = [wrap(`${title}  ${id}`, columns), '', row('Newest', newestVersion), row('Releases', versions.join(', '))]
  for (const [at, {vendor, image, since, gfx}] of images.entries())
    lines.push(row(at === 0 ? 'Images' : '', `${vendor}${gfx ? ` ${gfx.join(' ')}` : ''}: ${image}${since ? ` (since ${since})` : ''}`))
  lines.push(row('Docs', docsUrl), '', `  ${padEnd('Next', 14)}${commandLines(`servefit check qwen3-32b --gpu 1xh100-sxm --engine ${id}`, {columns}, 16)}`)
  return `${lines.join('\n')}\n`
}
