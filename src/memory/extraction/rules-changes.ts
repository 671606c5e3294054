/** What shows that something has changed: verbs of changing, and words that set now against before. */
const CHANGE =
  /\b(?:no longer|any ?more|instead|these days|nowadays|from now on|from here on|from next (?:week|month|year)|now|renamed?|re-?named|moved (?:to|from|my|the|out)|been moved|has been moved|swapped|switched|changed|replaced|rescheduled|postponed|pushed|push (?:it|everything|the)|brought forward|gone over to|handed over|took over|taken over|put (?:her|his|their|the|its|my|our) (?:price|rent)|traded|retrained|again|price up|sold|cancel(?:led|ed)|quit|left|gave up|given up|stopped|scrap(?:ped)?|ditched|hung up|turns out|turned out|retest|correction|used to|since (?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|last)|back on the menu|had a word|new (?:sim|number|job|place|flat|boss|name)|in charge of|done with|from (?:this|next) (?:week|month|year|term|season)|first (?:day|week|month) (?:\w+ing )?(?:at|in|as|with|for)|no more|unpacked)\b|['’]s out\b|\bis out\b/i

/** The words of a message that show a change; null: none do. */
export function findEvidence(text: string): string | null {
  return CHANGE.exec(text)?.[0] ?? null
}

/** What is told as done, and words of change in other languages: a model quotes the message's own. */
const DONE =
  /\b\p{L}{3,}ed\b|\b(?:became|began|bought|broke|born|came|died|ended|found|gone|got|had|lost|made|met|passed|ran|said|sold|started|taken|went|won|new)\b|(?<!\p{L})(?:jetzt|nun|nicht mehr|nicht länger|kein\p{L}* mehr|neu\p{L}*|seit|nå|ikke lenger|ny|nye|siden|nu|inte längre|sedan|maintenant|ne .* plus|désormais|depuis|ahora|ya no|desde|adesso|non .* più|niet meer|sinds|inzwischen|umgezogen|flyttet|flyttat)(?!\p{L})/iu

/** Whether words that a model quotes for a change say so: "I" does not. */
export function tellsChange(quoted: string): boolean {
  return findEvidence(quoted) !== null || DONE.test(quoted)
}
