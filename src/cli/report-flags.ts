import * as Flags from '@oclif/core/flags'

const REPORTS = 'REPORTS'

/** Answers to hand on: for a purchase, a pull request. */
export const reportFlags = {
  html: Flags.string({description: 'write a report as one HTML file that needs nothing else', helpValue: 'FILE', helpGroup: REPORTS}),
  markdown: Flags.boolean({description: 'print Markdown, for a pull request or an issue', exclusive: ['json'], helpGroup: REPORTS}),
}

/** For the commands that have no other file to replace. */
export const replaceFlag = {
  force: Flags.boolean({description: 'replace files that exist already'}),
}

/** Whether a report was asked for. */
export const wantsReport = ({html, markdown}: {html?: string; markdown?: boolean}): boolean => html !== undefined || markdown === true
