import type {Part} from './assault.ts'
export const terminals: Part = {name: 'terminals', share: 1, async run() {}}
