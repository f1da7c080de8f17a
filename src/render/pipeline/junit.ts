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

/** Readers differ in whether they show the attribute or the text. */
const wrong = (element: 'error' | 'failure', {code, message}: {code: string; message: string}): string =>
  `      <${element}${attributes({type: code, message})}>${escaped(message)}</${element}>`

function caseLines({name, file, line, failures, warnings, error, properties}: GateCase): string[] {
  const told = [
    ...(line === undefined ? [] : [`${file ?? 'line'}:${line}`]),
    ...Object.entries(properties).map(([key, value]) => `${key}: ${value}`),
    ...warnings.map(({code, message}) => `${code}: ${message}`),
  ]
  return [
    `    <testcase${attributes({name, classname: file ?? 'servefit'})}>`,
    ...(error ? [wrong('error', error)] : []),
    ...failures.map((failure) => wrong('failure', failure)),
    ...(told.length > 0 ? [`      <system-out>${told.map(escaped).join('\n')}</system-out>`] : []),
    '    </testcase>',
  ]
}

/**
 * A report as pipelines read those of tests: a case for each question, a failure for each reason to stop. It is valid by the strictest of its readers
 * (jenkinsci/xunit-plugin, junit-10.xsd), which knows neither properties nor a place of a case: they are lines of what the case printed.
 */
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
