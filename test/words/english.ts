/** Forms that stop a reader, and what is plain instead. The plain form is what the message of the test says. */
export const BANNED: [RegExp, string][] = [
  [/\bWhat (holds|starts) it\b/i, 'Would fit on, the command that starts'],
  [/\bWould do\b/, 'Would help'],
  [/\b[Ii]n all\b(?! (tests|other|layers|modules|cases))/, 'total, in total'],
  [/\bstored so\b/, 'stored in this format'],
  [/\bcannot be (served|told|started) so\b/, 'say what cannot be done'],
  [/\b(is|are) not carried\b/, 'cannot carry'],
  [/\bplanned with\b/, 'planned for'],
  [/\bthat (is|are) like that\b/, 'that matches these filters'],
  [/\bcautious end\b/, 'low end of the interval, slow end'],
  [/\bthe first of these\b/, 'say which'],
  [/\bnext year too\b/, 'as it grows'],
  [/\bwhere it is not plain\b/, 'unless that is obvious'],
  [/\b(is|are) not asked for\b/, 'was not given'],
  [/\bstands? behind\b/, 'rests on, no measurements of'],
  [/\breckon(ed)?\b/, 'counted, modelled, estimated'],
  [/\bdealt out\b/, 'spread over'],
  [/\bquicker\b/, 'faster'],
  [/\bof these,/, 'by kind'],
  [/\b(is|are) there already\b/, 'exists already'],
  [/\bwhat the kernel tells\b|\bNo tool told\b/, 'reports, reported'],
  [/\bone's own\b/, 'your own'],
  [/\bmay be used:/, 'can be used'],
  [/\bmoves? no number\b|\bmoves? the numbers\b/, 'changes no figure'],
  [/\bleft it out\b|\bleaves it out\)/, 'ignores it'],
  [/\blearnt anew\b|\bread anew\b|\bstart anew\b/, 'again, afresh'],
  [/\bGive(n)? instead\b/, 'Overridden'],
  [/\bmended\b/, 'fixed, corrected'],
  [/\bforetold\b/, 'predicted'],
  [/\bstands? in (the|a|its|none|one|place)\b/, 'is in, is listed in'],
  [/\bso many\b(?! (that|as)\b)/, 'this many, that many'],
  [/[;,] else (a|all|by|from|give|half|if|in|it|no|of|the|through|to|what|[A-Z\d#~])/, 'otherwise'],
  [/\banew\b/, 'again'],
  [/\btakes? back\b/, 'accepts'],
  [/\btells? of\b|\bdoes not tell\b|\b(is|are) told as\b/, 'says, names, counts as'],
  [/\bat hand\b/, 'available'],
  [/\bwrong input\b/, 'an input error'],
]

const COUNTED =
  'requests|users|GPUs|layers|tokens|machines|figures|models|comparisons|runs|sequences|cards|nodes|texts|replicas|slots|adapters|experts|files|workers|processes|reasons'

/** One thing in the plural: `1 requests`, never `2.1 requests`, `1 to 2 requests` or `0.1 requests`. */
const PLURAL = new RegExp(`(?<![\\d.,/-])1 (${COUNTED})\\b(?!/s)`)
/** `a eagle3`, `an draft`. Vowels that are spoken as consonants, and letters that are spoken as vowels, are left alone. */
const ARTICLE =
  /\ba (?!(?:user|use|usual|usually|unit|unified|uniform|useful|union|unique|one|once|European|URL|UUID|USB)\b)[aeiou]\w+|\ban (?![aeiou]|\d|[A-Z]|hour|honest|fp|nvfp|xpu|ssm|mtp|l4)\w+/
/** The same word twice running. */
const TWICE = /\b([a-z]{2,}) \1\b/

/** What is wrong with a text, in words; nothing where it reads well. */
export function faultsOf(text: string): string[] {
  const found = BANNED.flatMap(([pattern, plain]) => {
    const hit = pattern.exec(text)
    return hit ? [`"${hit[0]}": ${plain}`] : []
  })
  for (const [pattern, what] of [
    [PLURAL, 'one thing in the plural'],
    [ARTICLE, 'the other article'],
    [TWICE, 'said twice'],
  ] as const) {
    const hit = pattern.exec(text)
    if (hit) found.push(`"${hit[0]}": ${what}`)
  }
  return found
}
