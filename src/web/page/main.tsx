import {render} from 'preact'
import {stateOfLink} from '../question/link.ts'
import {App} from './app.tsx'
import type {Loaded} from './client.ts'

const loaded = globalThis as unknown as Loaded & {servefitMachine?: unknown}
const place = document.getElementById('page')
if (place)
  void stateOfLink(location.hash).then((state) => {
    const here = loaded.servefitMachine === undefined ? undefined : JSON.stringify(loaded.servefitMachine, undefined, 2)
    // Served by `servefit web`, the first question is about this computer.
    const first = here !== undefined && location.hash.length <= 1 ? {...state, pasted: here, words: {...state.words, gpu: ''}} : state
    place.replaceChildren()
    render(<App loaded={loaded} first={first} here={here} />, place)
  })
