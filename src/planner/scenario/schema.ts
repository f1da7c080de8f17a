/** The door to what needs zod: loaded only where a scenario from outside is checked. */
export {ScenarioSchema} from './fields.ts'
export {checkedScenario, type FileScenario, layered, type RawScenario} from './file.ts'
