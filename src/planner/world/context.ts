import type {Catalogue} from '../../catalogue/catalogue.ts'
import {nearest, quotedShort} from '../../core/nearest.ts'
import type {BoundedMap} from '../../core/bounded-map.ts'
import type {Machine} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import {remembering} from '../../engines/remembering.ts'
import type {Engine, EngineData} from '../../engines/engine.ts'
import {type Correction, correctedEngine} from './corrections.ts'
import {DEFAULT_ENGINE, ENGINE_ALIASES, ENGINES} from '../../engines/registry.ts'
import {canBeRelease} from '../../engines/versions.ts'
import type {FoundModelFile, FoundRepository, NamedModel} from './found-model.ts'

/** What answering needs of the world: compiled data, and the two things that are looked at only when asked about. */
export interface Context {
  catalogue: Catalogue
  /** This machine. */
  detect(): Promise<Machine>
  /** A machine that detect --json wrote. */
  readMachine(path: string): Promise<Machine>
  /** A model from a file or a directory of the user's. */
  readModel(path: string): Promise<FoundModelFile>
  /** A repository that the catalogue does not have, from the local cache or the hub. Absent: there is no such way. */
  repository?(name: string): Promise<FoundRepository>
  /** Repositories are looked for outside the catalogue even where it has them. */
  refresh?: boolean
  /** What logs of the user's own engines corrected. */
  corrections?: readonly Correction[]
  /** Engines that were opened, by id. */
  engines: Map<string, Engine>
  /** Machines that lists of cards, or names of the catalogue, stood for, by the list or the name: what is known of a deployment is known of the same machine. */
  listed?: BoundedMap<string, Machine>
  /** What names of models stood for, by the name: what is known of a model is known of the same one. */
  named?: BoundedMap<string, Promise<NamedModel>>
}

/** The engine of this name in a release that can exist. @throws InputError ENGINE_UNKNOWN, ENGINE_VERSION_UNKNOWN. */
export function engineInRelease(context: Context, name: string | undefined, version: string | undefined): Engine {
  const engine = engineOf(context, name)
  const {title, newestVersion, versions} = engine
  if (version !== undefined && !canBeRelease(version, versions))
    throw new InputError('ENGINE_VERSION_UNKNOWN', `No release ${version.slice(0, 80)} of ${title}: ${newestVersion} is the newest known`, {
      suggestions: versions.slice(-3).reverse(),
    })
  return engine
}

/** Engines that many use and servefit does not model. */
const NOT_MODELLED =
  /^(?:ollama|llama[-_.]?cpp|lm[-_ ]?studio|mlx(?:[-_]lm)?|exllama\w*|tabby\w*|koboldcpp|tgi|lmdeploy|ktransformers|aphrodite|mistral\.?rs)$/i

/** The engine of this name; the default one when none is named. @throws InputError ENGINE_UNKNOWN. */
export function engineOf(context: Context, name: string = DEFAULT_ENGINE): Engine {
  const id = ENGINE_ALIASES[name.toLowerCase()] ?? name.toLowerCase()
  const opened = context.engines.get(id)
  if (opened) return opened
  const create = Object.hasOwn(ENGINES, id) ? ENGINES[id] : undefined
  if (!create)
    throw new InputError(
      'ENGINE_UNKNOWN',
      `No engine named ${quotedShort(name)}: expected ${Object.keys(ENGINES).join(', ')}${NOT_MODELLED.test(name) ? ', the only ones that servefit models' : ''}`,
      {
        suggestions: nearest(name, Object.keys(ENGINES)),
      },
    )
  const data = engineData(context, id)
  const corrections = context.corrections?.filter((correction) => correction.engine === id) ?? []
  const base = create(data)
  const engine = remembering(corrections.length > 0 ? correctedEngine(base, create, data, corrections) : base)
  context.engines.set(id, engine)
  return engine
}

/** The data that an engine is made from. */
export function engineData({catalogue}: Pick<Context, 'catalogue'>, id: string): EngineData {
  return {
    ...catalogue.file<Omit<EngineData, 'support' | 'needs'>>(`engines/${id}`),
    support: catalogue.file('engines/support'),
    // Only start commands ask for it.
    get needs() {
      return catalogue.file<EngineData['needs']>('engines/needs')
    },
  }
}
