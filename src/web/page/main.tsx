import {render} from 'preact'
import {FIRST_STATE, type PageState, stateOfLink} from '../question/link.ts'
import {App} from './app.tsx'
import type {Loaded} from './client.ts'

const loaded = globalThis as unknown as Loaded & {servefitMachine?: unknown}
const place = document.getElementById('page')
if (place)
  void stateOfLink(location.hash).then((state) => {
    const here = loaded.servefitMachine === undefined ? undefined : JSON.stringify(loaded.servefitMachine, undefined, 2)
    // Served by `servefit web`, the first question is what fits this computer, as for the command without words.
    const isFirst = here !== undefined && location.hash.length <= 1
    const first: PageState = isFirst ? {...FIRST_STATE, view: 'models', pasted: here, words: {model: FIRST_STATE.words.model ?? ''}} : state
    place.replaceChildren()
    render(<App loaded={loaded} first={first} here={here} />, place)
  })
