import type {Recording} from './recording.ts'

/** Parts of `nvidia-smi -q -x` that no parser reads; they are most of it. */
const NOISE = [
  'supported_clocks',
  'clocks',
  'max_clocks',
  'max_customer_boost_clocks',
  'applications_clocks',
  'default_applications_clocks',
  'deferred_clocks',
  'clock_policy',
  'clocks_event_reasons',
  'clocks_event_reasons_counters',
  'clocks_throttle_reasons',
  'temperature',
  'supported_gpu_target_temp',
  'gpu_power_readings',
  'module_power_readings',
  'gpu_memory_power_readings',
  'power_readings',
  'power_smoothing',
  'workload_power_profiles',
  'voltage',
  'ecc_errors',
  'ecc_mode',
  'retired_pages',
  'remapped_rows',
  'utilization',
  'encoder_stats',
  'fbc_stats',
  'accounted_processes',
  'cc_protected_memory_usage',
  'inforom_version',
  'inforom_bbx_flush',
  'gpu_operation_mode',
  'driver_model',
  'ibmnpu',
  'capabilities',
  'platformInfo',
  'gsp_firmware_version',
  'sparse_operation_mode',
  'edpp_multiplier',
  'device_attributes',
  'ecc_error_count',
  'bar1_memory_usage',
]

/** The recording with the parts left out that are long and never read, so that it fits into an issue. Every parser gives the same answer. */
export function shortened(recording: Recording): Recording {
  return {
    ...recording,
    commands: recording.commands.map(({line, outcome}) =>
      'stdout' in outcome && / -q -x$/.test(line) ? {line, outcome: {...outcome, stdout: shortXml(outcome.stdout)}} : {line, outcome},
    ),
  }
}

function shortXml(text: string): string {
  return NOISE.reduce(withoutElements, text)
}

/** Without the elements of this name and the lines they stand on. Time is linear in the text, whatever it is. */
function withoutElements(text: string, name: string): string {
  const [open, close] = [`<${name}>`, `</${name}>`]
  const kept: string[] = []
  let at = 0
  for (let start = text.indexOf(open); start >= 0; start = text.indexOf(open, at)) {
    const end = text.indexOf(close, start)
    if (end < 0) break
    kept.push(text.slice(at, start).replace(/[ \t]{0,80}$/, ''))
    at = end + close.length
    while (text[at] === ' ' || text[at] === '\t') at++
    if (text[at] === '\n') at++
  }
  return kept.join('') + text.slice(at)
}
