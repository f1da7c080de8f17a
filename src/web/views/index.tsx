/** What is seen of an answer: the same in the page and in a report. */
import type {AnswerDocument} from '../documents/index.ts'
import {CapacityView} from './capacity.tsx'
import {type Actions, CheckView} from './check.tsx'
import {CompareView} from './compare.tsx'
import {ModelsView} from './models.tsx'
import {PlanView} from './plan.tsx'

export type {Actions} from './check.tsx'
export {Code} from './code.tsx'
export {FrontChart} from './plan.tsx'
export {StartView} from './start.tsx'

export function AnswerView({document, actions = {}, whole = false}: {document: AnswerDocument; actions?: Actions; whole?: boolean}) {
  switch (document.kind) {
    case 'check':
      return <CheckView document={document} actions={actions} whole={whole} />
    case 'models':
      return <ModelsView document={document} actions={actions} />
    case 'plan':
      return <PlanView document={document} actions={actions} />
    case 'compare':
      return <CompareView document={document} actions={actions} />
    case 'capacity':
      return <CapacityView document={document} actions={actions} />
  }
}
