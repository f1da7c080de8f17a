export {nearest, type Known} from '../core/nearest.ts'
