import type {Catalogue} from '../catalogue/catalogue.ts'
import type {Machine} from '../core/accelerator.ts'
import type {FindGpu} from '../detect/probe.ts'
import {isStandardInput, type TextLimits, textOfFile} from '../import/text-file.ts'
import {machineOfText} from '../library/machine-text.ts'
import {standardInputText} from './standard-input.ts'

/** Several outputs of a machine with hundreds of processors and all that `-q -x` tells of its cards are below 8 MiB. */
const LIMITS: TextLimits = {what: 'a machine: what detect --json or a tool such as nvidia-smi prints', bytes: 32 * 2 ** 20}

/**
 * The machine of a file, or of standard input for `-`: a document of `detect --json`, or pasted outputs of tools.
 *
 * @throws InputError as `machineOfText` does, and those of reading.
 */
export async function readMachineFile(catalogue: Catalogue, path: string, findGpu: FindGpu): Promise<Machine> {
  const place = isStandardInput(path) ? 'Standard input' : path
  const text = isStandardInput(path)
    ? await standardInputText(LIMITS, 'ssh HOST nvidia-smi | servefit check MODEL --machine -')
    : await textOfFile(path, LIMITS)
  return machineOfText(catalogue, text, place, findGpu)
}
