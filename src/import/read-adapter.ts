import {parseTolerantJson} from '../catalogue/import/tolerant-json.ts'
import {InputError} from '../core/input-error.ts'
import {type Adapter, ADAPTER_FILE, adapterFrom} from './adapter.ts'
import {readTextFile} from './local-folder.ts'

/** The adapter in a folder, or by the path of its configuration. @throws InputError ADAPTER_UNREADABLE. */
export async function readAdapter(path: string): Promise<Adapter> {
  const file = path.endsWith(ADAPTER_FILE) ? path : `${path.replace(/[\\/]+$/, '')}/${ADAPTER_FILE}`
  let text: string
  try {
    text = await readTextFile(file, 'the configuration of a LoRA adapter')
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(
      'ADAPTER_UNREADABLE',
      `${path} is no LoRA adapter: ${error.message}. Expected a number of adapters (--lora 4 --lora-rank 16), or a folder with ${ADAPTER_FILE}`,
    )
  }
  return adapterFrom(parseTolerantJson(text, file), path)
}
