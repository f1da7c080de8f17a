import type {Upgrade} from '../planner/diff/index.ts'
import {renderDiff} from './diff.ts'
import {type Look, tablesOf} from './look.ts'
import {harmless, paint, wrap} from './style.ts'

/** More options than this are counted, not listed. */
const MOST_NAMES = 12

const shownValue = (value: unknown): string =>
  value === undefined ? 'unset' : Array.isArray(value) ? value.join(', ') || '-' : typeof value === 'object' ? JSON.stringify(value) : String(value)

/** `diff --engine-version` for people. */
export function renderUpgrade(upgrade: Upgrade, title: string, look: Look): string {
  const {columns, colour} = look
  const {from, to, verdict, reasons, figures, worse, tolerance, defaults, start, options, support, warnings} = upgrade
  const style = paint(colour)
  const lines = [style.bold(harmless(title)), '']
  const part = (name: string, rows: readonly string[]) => {
    if (rows.length > 0) lines.push(style.bold(name), ...rows.map((row) => `  ${wrap(harmless(row), columns - 4, 4)}`), '')
  }
  lines.push(`  ${from}  ${verdict.before}`, `  ${to}  ${verdict.after}`, '')
  part(
    'Why not',
    upgrade.after.verdict === upgrade.before.verdict ? [] : reasons.map(({message, remedy}) => (remedy === undefined ? message : `${message}; ${remedy}`)),
  )
  lines.push(
    style.bold('Figures'),
    ...renderDiff({schemaVersion: 2, kind: 'result', tolerance, worse, changes: figures}, {...look, columns: columns - 2, tableColumns: tablesOf(look) - 2})
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`.trimEnd()),
    '',
  )
  part(
    'Defaults of the engine for this deployment',
    defaults.map(({name, before, after}) => `${name}: ${shownValue(before)} -> ${shownValue(after)}`),
  )
  part(
    'What config would write',
    start.map(({name, before, after}) =>
      before === undefined
        ? `+ ${name} ${after === true ? '' : shownValue(after)}`.trimEnd()
        : after === undefined
          ? `- ${name}`
          : `${name}: ${shownValue(before)} -> ${shownValue(after)}`,
    ),
  )
  part(
    'Formats on this card',
    support.map(({weights, hfId, before, after, reason}) => `${weights} (${hfId}): ${before} -> ${after}${reason === undefined ? '' : `: ${reason}`}`),
  )
  part('Options that are gone', shortened(options.gone.map(({name, instead}) => (instead === undefined ? name : `${name} (now ${instead})`))))
  part(
    'Options with another default',
    shortened(options.changed.filter(({what}) => what === 'default').map(({name, before, after}) => `${name}: ${shownValue(before)} -> ${shownValue(after)}`)),
  )
  part('Options that will go', shortened(options.deprecated.map(({name, instead}) => (instead === undefined ? name : `${name} (use ${instead})`))))
  if (options.came.length > 0)
    part('New options', [
      `${options.came.length}: ${options.came.slice(0, MOST_NAMES).join(', ')}${options.came.length > MOST_NAMES ? ', ... (--json has them all)' : ''}`,
    ])
  part(
    'Remarks that are new',
    warnings.came.map(({message}) => message),
  )
  part(
    'Remarks that are gone',
    warnings.gone.map(({message}) => message),
  )
  return `${lines.join('\n').trimEnd()}\n`
}

const shortened = (rows: readonly string[]): string[] =>
  rows.length > MOST_NAMES ? [...rows.slice(0, MOST_NAMES), `and ${rows.length - MOST_NAMES} more: --json has them`] : [...rows]
