import {table} from './tables.ts'

interface Row {
  id: string
  title: string
  docsUrl: string
  newestVersion: string
  versions: string[]
  images: {vendor: string; image: string; gfx?: string[]}[]
}

/** Engines with their releases and documentation, then their images. */
export function enginesTable(engines: readonly Row[], width: number): string {
  const list = table(
    engines,
    [
      {title: 'Engine', value: ({id}) => id},
      {title: 'Name', value: ({title}) => title, expendable: 1},
      {title: 'Newest', value: ({newestVersion}) => newestVersion},
      {title: 'From', value: ({versions}) => versions[0] ?? ''},
      {title: 'Releases', value: ({versions}) => String(versions.length), right: true},
      {title: 'Documentation', value: ({docsUrl}) => docsUrl},
    ],
    width,
  )
  const images = table(
    engines.flatMap(({id, images: own}) => own.map((image) => ({id, ...image}))),
    [
      {title: 'Engine', value: ({id}) => id},
      {title: 'For', value: ({vendor, gfx}) => `${vendor}${gfx ? ` ${gfx.join(' ')}` : ''}`},
      {title: 'Image', value: ({image}) => image},
    ],
    width,
  )
  return `${list}\n${images}\nservefit engines support MODEL says what each loads, on which GPUs.\n`
}
