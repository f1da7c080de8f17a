import {afterAll, describe, expect, it} from 'vitest'
import {documentedCommands, exampleShell, helpExamples, isElsewhere} from './examples.ts'

const shell = exampleShell()
afterAll(() => shell.end())

/** Yes or no: what is wrong input exits with 2, a defect with 70. */
function expectAnswer(line: string): void {
  const {code, stdout, stderr} = shell.run(line)
  expect([0, 1], `${line}\n${stderr}`).toContain(code)
  if (!line.includes(' > ')) expect(`${stdout}${stderr}`, line).not.toBe('')
}

describe('every example of --help runs as it stands in a clone', () => {
  it.each(helpExamples().filter((line) => !isElsewhere(line)))('%s', (line) => expectAnswer(line))
})

describe('every command of the README and the docs runs as it stands in a clone', () => {
  it.each(documentedCommands())('$place: $line', ({line}) => expectAnswer(line))
})
