/** The door of this room. A question in the engine's own words: its command, and options that are passed on. */
export {answerSpelled, type Documents, type SpelledAnswer, spelledOut} from './spelled.ts'
export {type CommandReport, inEngineWords} from './report.ts'
