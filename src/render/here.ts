import type {Machine} from '../core/accelerator.ts'
import type {Reason} from '../core/terms.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import type {FittingModel} from '../planner/models/index.ts'
import {fittingModelsTable} from './fitting-models.ts'
import {machineTitle} from './hardware.ts'
import {type Look, tablesOf} from './look.ts'
import {count} from './numbers.ts'
import {harmless, padEnd, paint, wrap} from './style.ts'

interface Here {
  machine: Machine
  /** What was found, where this machine was looked at. */
  document?: MachineDocument
  best: readonly FittingModel[]
  /** They are all that fit. */
  complete: boolean
  refusal?: Reason
  /** Flags that name the machine, for the lines of what to do next. */
  where: string
}

/** What `servefit` says by itself: the machine, the best few models that fit it, and how to ask on. */
export function renderHere({machine, document, best, complete, refusal, where}: Here, look: Look): string {
  const {columns, colour} = look
  const style = paint(colour)
  const problems = (document?.problems ?? []).filter(({code}) => code !== 'no-devices')
  const found = problems.map(({message, remedy}) => `  ${style.warn(wrap(`${harmless(message)}: ${harmless(remedy)}`, columns - 4, 2))}`)
  if (machine.gpus.length === 0)
    return [
      wrap('This machine has no GPU that can be used.', columns),
      ...found,
      '',
      'Ask about another machine:',
      '',
      '  servefit check qwen3-32b --gpu 2xrtx-4090',
      '  servefit models --fits --machine dgx-spark',
      '  ssh box nvidia-smi | servefit check qwen3-32b --machine -',
      '',
      wrap('servefit gpus and servefit machines list what can be named; servefit help lists the commands.', columns),
      '',
    ].join('\n')
  const flags = where === '' ? '' : ` ${where}`
  const lines = [style.bold(wrap(harmless(machineTitle(machine)), columns)), ...found]
  const [first] = best
  if (refusal) lines.push('', `  ${wrap(harmless(`${refusal.message}${refusal.remedy ? `; ${refusal.remedy}` : ''}.`), columns - 4, 2)}`)
  else if (first === undefined) lines.push('', '  No model of the catalogue fits it.')
  else {
    lines.push(
      `  ${wrap(`${complete ? (best.length === 1 ? 'One model fits' : `${count(best.length)} models fit`) : `The best ${count(best.length)} of the models that fit`}, each for one user:`, columns - 4, 2)}`,
      '',
      ...fittingModelsTable(best, {...look, columns: columns - 2, tableColumns: tablesOf(look) - 2})
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`.trimEnd()),
    )
    lines.push('', ...next(`servefit check ${first.model.id}${flags}`, `servefit models --fits${flags}`))
  }
  return `${lines.join('\n')}\n`
}

const next = (check: string, all: string): string[] => {
  const width = Math.max(check.length, all.length, 'servefit help'.length)
  return [
    `  Next  ${padEnd(check, width)}  the best of them, in detail`,
    `        ${padEnd(all, width)}  all of them`,
    `        ${padEnd('servefit help', width)}  what else there is to ask`,
  ]
}
