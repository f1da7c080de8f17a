import type {Data} from '../planner/protocol.ts'

/** Further files of data, loaded when a question takes them. */
export interface Parts {
  /** The part that holds this file. */
  withFile(path: string): Promise<Data>
  all(): Promise<Data>
}

/** What the script with the first data says of the others, and what those call. */
export interface PartsLoaded {
  /** Scripts with further files, each with the first of them; in order. */
  servefitParts: readonly (readonly [string, string])[]
  servefitMore?(data: Data): void
}

/** Parts are scripts beside the page: a page from a file may load nothing else. Each is loaded once. */
export function partsOf(loaded: PartsLoaded): Parts {
  const coming = new Map<string, Promise<Data>>()
  const handed = new Map<string, Data>()
  loaded.servefitMore = (data) => {
    const name = document.currentScript?.getAttribute('src')
    if (name) handed.set(name, data)
  }
  const load = (file: string): Promise<Data> => {
    const known = coming.get(file)
    if (known) return known
    const one = new Promise<Data>((resolve, reject) => {
      const script = document.createElement('script')
      script.src = file
      script.onload = () => resolve(handed.get(file) ?? {})
      script.onerror = () => {
        coming.delete(file)
        reject(new Error(`${file} could not be loaded`))
      }
      document.head.append(script)
    })
    coming.set(file, one)
    return one
  }
  return {
    async withFile(path) {
      const file = loaded.servefitParts.findLast(([first]) => first <= path)?.[1]
      return file === undefined ? {} : load(file)
    },
    all: async () => Object.assign({}, ...(await Promise.all(loaded.servefitParts.map(([, file]) => load(file))))) as Data,
  }
}
