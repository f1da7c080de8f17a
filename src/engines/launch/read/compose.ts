/** Containers of a compose file or a manifest of Kubernetes, as programs. */
import {InputError} from '../../../core/input-error.ts'
import {nearest} from '../../../core/nearest.ts'
import {inImage, type Program} from './program.ts'
import {readShell} from './shell.ts'
import {dictionary} from '../../../core/dictionary.ts'

type Mapping = Record<string, unknown>

const isMapping = (value: unknown): value is Mapping => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Containers at most: a file of more is no deployment. */
const MOST_CONTAINERS = 1000

interface Named {
  name: string
  program: Program
}

/**
 * The program that a file starts. Where it starts several engines one is asked for by its service's or container's name.
 * @throws InputError COMMAND_ENGINE_UNKNOWN, COMMAND_SERVICE_UNKNOWN, COMMAND_SERVICE_NEEDED.
 */
export function programOfDocument(document: unknown, path: string, service?: string): Program {
  const found = containersOf(document).flatMap(({name, container}): Named[] => {
    const program = programOf(container)
    return program ? [{name, program}] : []
  })
  if (found.length === 0)
    throw new InputError(
      'COMMAND_ENGINE_UNKNOWN',
      `${path} starts no vLLM, SGLang or TensorRT-LLM server that servefit reads: expected a compose file or a manifest with such a container`,
    )
  const names = found.map(({name}) => name)
  if (service !== undefined) {
    const one = found.find(({name}) => name === service)
    if (!one)
      throw new InputError('COMMAND_SERVICE_UNKNOWN', `${path} has no server "${service.slice(0, 60)}": expected ${names.slice(0, 10).join(', ')}`, {
        suggestions: nearest(service, names),
      })
    return one.program
  }
  if (found.length > 1)
    throw new InputError('COMMAND_SERVICE_NEEDED', `${path} starts ${found.length} servers: name one behind the file (${names.slice(0, 10).join(', ')})`, {
      suggestions: names.slice(0, 5),
    })
  return found[0]!.program
}

/** Services of a compose file; containers of anything else, wherever they stand. */
function containersOf(document: unknown): {name: string; container: Mapping}[] {
  const found: {name: string; container: Mapping}[] = []
  const visit = (value: unknown, depth: number) => {
    if (depth > 20 || found.length >= MOST_CONTAINERS) return
    if (Array.isArray(value)) for (const item of value) visit(item, depth + 1)
    if (!isMapping(value)) return
    if (isMapping(value.services) && depth === 0) {
      for (const [name, container] of Object.entries(value.services)) if (isMapping(container)) found.push({name, container})
      return
    }
    if (Array.isArray(value.containers))
      for (const container of value.containers) if (isMapping(container)) found.push({name: String(container.name ?? 'container'), container})
    for (const [key, inner] of Object.entries(value)) if (key !== 'containers') visit(inner, depth + 1)
  }
  visit(document, 0)
  return found
}

function programOf(container: Mapping): Program | undefined {
  const {image, entrypoint, command, args, environment, env} = container
  if (typeof image !== 'string') return undefined
  // Kubernetes calls the entrypoint `command` and the words behind it `args`.
  const isPod = args !== undefined || env !== undefined || (Array.isArray(command) && environment === undefined && container.name !== undefined)
  const variables = environmentOf(environment ?? env)
  const own = (value: unknown) => wordsOf(value, variables)
  const [start, rest] = isPod ? [own(command), own(args)] : [own(entrypoint), own(command)]
  return inImage(filled(image, variables), {...(start.length > 0 && {entrypoint: start}), command: rest, environment: variables})
}

/** `${NAME:-other}` of a compose file: what is not set there is taken as it is written. */
function filled(text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$\{([A-Za-z_]\w*)(?::?-([^}]*))?\}/g, (whole, name: string, other?: string) =>
    Object.hasOwn(variables, name) ? variables[name]! : (other ?? whole),
  )
}

function wordsOf(value: unknown, variables: Record<string, string>): string[] {
  if (Array.isArray(value)) return value.filter((word) => ['string', 'number', 'boolean'].includes(typeof word)).map((word) => filled(String(word), variables))
  if (typeof value !== 'string') return []
  // `$$` is a dollar of its own in a compose file.
  const {commands} = readShell(filled(value, variables).replaceAll('$$', '$').replaceAll('\n', ' '))
  return commands.flatMap(({words}) => words)
}

function environmentOf(value: unknown): Record<string, string> {
  const variables: Record<string, string> = dictionary()
  if (isMapping(value)) for (const [name, own] of Object.entries(value)) variables[name] = filled(String(own ?? ''), {})
  if (!Array.isArray(value)) return variables
  for (const item of value) {
    if (typeof item === 'string') {
      const at = item.indexOf('=')
      variables[at < 0 ? item : item.slice(0, at)] = at < 0 ? '' : filled(item.slice(at + 1), {})
    } else if (isMapping(item) && typeof item.name === 'string') variables[item.name] = typeof item.value === 'string' ? item.value : ''
  }
  return variables
}
