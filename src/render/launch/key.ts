/** The API key of a public server: where it comes from, in words. It never stands in what is written. */
import type {Launch} from '../../engines/engine.ts'
import {InputError} from '../../core/input-error.ts'
import {keyVariable, type Startable} from './startable.ts'
import {commentLines} from './yaml.ts'

/** Beside what is started; the shell that starts it reads it. */
const KEY_FILE = 'api-key.env'

/** How to make the file that holds the key, which only its owner reads. */
export const keyFileWords = (variable: string, file: string): string =>
  `The API key stands in ${file}: (umask 077; printf '${variable}=%s\\n' "$(openssl rand -hex 32)" >> ${file})`

/** The same as the first lines of a shell script that starts what needs it; nothing where nothing does. */
export function keyComment(startable: Startable): string {
  const variable = keyVariable(startable)
  return variable === undefined ? '' : commentLines(`${keyFileWords(variable, KEY_FILE)}\nRead it first: . ./${KEY_FILE} && export ${variable}`)
}

const BECAUSE = 'who asks must give the key; it is read from the environment'

/**
 * A launch that asks for a key. vLLM takes it from VLLM_API_KEY (vllm/envs.py, 0.10.2 to 0.33.0); SGLang from an option only
 * (sglang/srt/server_args.py, 0.5.2 to 0.5.23). @throws InputError for an engine that asks for none.
 */
export function withKey(launch: Launch, engine: {id: string; title: string}): Launch {
  // A key that was set by hand is the reader's own.
  if (launch.flags.some(({flag}) => flag === '--api-key')) return launch
  if (engine.id === 'vllm') return {...launch, environment: [...launch.environment, {name: 'VLLM_API_KEY', value: '', because: BECAUSE, secret: true}]}
  if (engine.id === 'sglang') return {...launch, key: {flag: '--api-key', variable: 'SGLANG_API_KEY', because: BECAUSE}}
  throw new InputError(
    'PUBLIC_UNAVAILABLE',
    `${engine.title} cannot ask for an API key, so servefit does not open it to others: leave --public out, and put a proxy in front that asks for one`,
  )
}

export const withoutSecrets = (launch: Launch): Launch => ({...launch, environment: launch.environment.filter(({secret}) => !secret), key: undefined})
