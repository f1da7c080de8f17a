/** The format of the weights that a log is of. */
import {isWeightFormat} from '../../core/formats.ts'
import type {Checkpoint} from '../../core/model.ts'
import type {Warning} from '../../core/terms.ts'
import {weightsOf} from '../../engines/words.ts'
import type {LogReport} from '../../verify/log-report.ts'

/** Formats that say nothing of how a checkpoint was quantised. */
const UNQUANTISED = new Set(['bf16', 'fp16', 'fp32'])

/**
 * The format that the engine's resolved method of quantisation says, where that is another than what is asked about: vLLM prints the method with its
 * configuration once it has looked into the checkpoint (vllm/config/vllm.py __str__), so that none means 16 bits, whatever other builds there are.
 * What is quantised already keeps its own format: a method goes by several names, and holds several formats.
 */
export function weightsOfLog(
  {quantization}: Pick<LogReport, 'quantization'>,
  checkpoint: Checkpoint | undefined,
  asked: string | undefined,
  warnings: Warning[],
): string | undefined {
  if (quantization === undefined) return undefined
  const own = asked ?? checkpoint?.weights
  const named = own === undefined ? '' : `${asked === undefined ? checkpoint!.hfId || own : `--weights ${own}`} was given, `
  if (quantization === null) {
    if (own !== undefined && (UNQUANTISED.has(own) || own === 'native')) return undefined
    if (own !== undefined) warnings.push({code: 'log-wins', message: `${named}the log says that nothing is quantised: weights of 16 bits are compared`})
    return 'bf16'
  }
  const format = weightsOf(quantization)
  if (format === quantization && !isWeightFormat(format)) return undefined
  if (own !== undefined && !UNQUANTISED.has(own)) return undefined
  if (asked !== undefined) warnings.push({code: 'log-wins', message: `${named}the log says quantization=${quantization}: ${format} is compared`})
  return format
}
