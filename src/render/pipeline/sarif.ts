import {jsonText} from '../json-text.ts'
import type {GateCase} from '../../planner/plan/index.ts'
import {harmless} from '../style.ts'

/** Static Analysis Results Interchange Format 2.1.0 (OASIS), as code hosts show beside a change. */
const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json'

type Level = 'error' | 'warning'

interface Finding {
  ruleId: string
  level: Level
  message: {text: string}
  locations: ({physicalLocation: {artifactLocation: {uri: string}; region: {startLine: number}}} | {logicalLocations: {fullyQualifiedName: string}[]})[]
}

const uriOf = (file: string): string => encodeURI(file.replaceAll('\\', '/').replace(/^\.\//, ''))

function findingsOf({name, file, line = 1, failures, warnings, error}: GateCase): Finding[] {
  // A question that was asked with flags stands in no file.
  const place =
    file === undefined
      ? {logicalLocations: [{fullyQualifiedName: harmless(name)}]}
      : {physicalLocation: {artifactLocation: {uri: uriOf(file)}, region: {startLine: line}}}
  const finding = (level: Level, {code, message}: {code: string; message: string}): Finding => ({
    ruleId: code,
    level,
    message: {text: harmless(`${name}: ${message}`)},
    locations: [place],
  })
  return [...(error ? [finding('error', error)] : []), ...failures.map((one) => finding('error', one)), ...warnings.map((one) => finding('warning', one))]
}

/** A finding for each reason to stop, and a warning for each that the answers carry. */
export function sarifReport(cases: readonly GateCase[], version: string): string {
  const results = cases.flatMap(findingsOf)
  const rules = [...new Set(results.map(({ruleId}) => ruleId))].sort().map((id) => ({id, shortDescription: {text: id.replaceAll(/[-_]/g, ' ').toLowerCase()}}))
  const report = {$schema: SCHEMA, version: '2.1.0', runs: [{tool: {driver: {name: 'servefit', version, rules}}, results}]}
  return `${jsonText(report, 2)}\n`
}
