/** The door to what needs zod: loaded only where a scenario from outside is checked. */
export {EngineOptionFields, MeasuredScenarioSchema, ScenarioLineSchema, ScenarioSchema, share, WorkloadSchema} from './fields.ts'
export {checkedLine} from './line.ts'
export {scenarioProblems} from './problems.ts'
export {checkedScenario, type FileScenario, layered, type RawScenario} from './file.ts'
