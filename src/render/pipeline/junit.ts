import {linesWithoutActing} from '../../core/acting-characters.ts'
import type {GateCase} from '../../planner/plan/index.ts'

/** Characters that XML 1.0 has no place for, not even escaped. */
const NOT_IN_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

const escaped = (text: string): string =>
  linesWithoutActing(text, () => '?')
    .replaceAll(NOT_IN_XML, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')

const attributes = (values: Record<string, string | number | undefined>): string =>
  Object.entries(values)
    .flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escaped(String(value))}"`]))
    .join('')

function caseLines({name, file, line, failures, warnings, error, properties}: GateCase): string[] {
  const told = Object.entries(properties).map(([key, value]) => `        <property${attributes({name: key, value})}/>`)
  return [
    `    <testcase${attributes({name, classname: file ?? 'servefit', file, line})}>`,
    ...(told.length > 0 ? ['      <properties>', ...told, '      </properties>'] : []),
    ...(error ? [`      <error${attributes({type: error.code, message: error.message})}/>`] : []),
    ...failures.map(({code, message}) => `      <failure${attributes({type: code, message})}/>`),
    ...(warnings.length > 0 ? [`      <system-out>${escaped(warnings.map(({code, message}) => `${code}: ${message}`).join('\n'))}</system-out>`] : []),
    '    </testcase>',
  ]
}

/** A report as pipelines read those of tests: a case for each question, a failure for each reason to stop. */
export function junitReport(cases: readonly GateCase[]): string {
  const counts = {
    tests: cases.length,
    failures: cases.filter(({failures, error}) => !error && failures.length > 0).length,
    errors: cases.filter(({error}) => error).length,
  }
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({name: 'servefit', ...counts})}>`,
    `  <testsuite${attributes({name: 'servefit', ...counts})}>`,
    ...cases.flatMap(caseLines),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n')}\n`
}
