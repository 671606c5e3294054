/** What is said without being a fact: questions, requests, wishes, plays, jokes, the words of others, the talk itself. */

const QUESTION =
  /\?["”')]*\s*$|^(?:(?:and|so|but|ok|okay|hey|oh|well|also|then|btw),?\s+)*(?:who|whom|whose|what|when|where|which|why|how|do|does|did|is|are|was|were|can|could|will|would|should|have|has|had|may|shall|any|anyone|whats|what['’]s|hows|how['’]s|who['’]s|where['’]s|isn['’]t|aren['’]t|don['’]t you|doesn['’]t)\b/i
const ASKING = /\?["”')]*\s*$/
/** Not said as true: wishes, conditions, guesses, plays. */
const UNREAL =
  /\b(?:if|imagine|suppose|supposing|pretend\w*|hypothetical\w*|let['’]?s say|say i|what if|would|wouldn['’]?t|could|might|maybe|perhaps|probably|for example|for instance|i guess|i think|i wish|wish i|i hope|wonder\w*|dream\w*|should i|i['’]d|we['’]d|almost|one day|some day|someday|as if|unless|ever since i was never|in theory|thinking (?:of|about)|toying with|tempted|considering|not sure)\b/i
/** Said for fun. */
const JOKE =
  /\b(?:just kidding|kidding|joking|jk|lmao|rofl|i swear|asking for a friend|for legal reasons|plot twist|breaking news|prime minister|world champion|emperor|king of|queen of|on mars|the moon|zombie|vampire|dragon|unicorn|superpower|haunt\w*|(?:so|too) \p{L}+ (?:that )?(?:i|my)\b.*\b(?:could|might))\b|\blol\s*$|[🙃😂🤣💀😜🤪]/iu
/** Asks PAI to do something, and so speaks of what it is given. */
const COMMAND =
  /^(?:(?:please|pls|plz|now|then|ok|okay|and|so|but|hey|hi|hello|also|just|quick|could you|can you|can u|could u|would you|will you),?\s+)*(?:translate|summari[sz]e|write|rewrite|rephrase|reword|fix|correct|proofread|check|explain|describe|say|tell|give|show|list|make|create|generate|draft|compose|answer|reply|respond|repeat|print|output|ignore|forget|disregard|act|use|find|suggest|recommend|compare|convert|complete|continue|analy[sz]e|review|help|plan|fill|set|adapt|turn|redo|pull|tl;?dr|need help|order|book|calculate|work out|put|sort|remind|quiz|teach|name|pick|choose|shorten|format|change|rank|estimate|paste|pasting|read|look|let|dear|get me|send|call|add|log|note|mark|expand|improve|polish|brainstorm|design|invent|prepare|outline)\b/i
/** Text for a machine. */
const CODE = /[`{}<>]|\(\)|;\s*$|^\s*(?:\/\/|#)|\w=\w|\s=\s/
/** Somebody else's words or story. */
const TOLD =
  /\b(?:(?:she|he|they|who|boss|friend|hero|host|mail|email|page|letter|review|note|book|film|movie|song|lyric|article|post|ad|novel|(?!you\b)\p{L}+)\s(?:keeps? saying|said|says|told me|wrote|whispered|shouted|claims|texted me|reckons|thinks)|told me|keeps? saying|according to|quote|once upon a time|transcript|voicemail|the hero|chapter|lyric|the line|my character|the narrator)\b/iu
export function isQuestion(text: string): boolean {
  return QUESTION.test(text)
}

/** Whether a sentence ends as a question: what stands in it may still tell of people and things. */
export function isAsking(text: string): boolean {
  return ASKING.test(text)
}

/** Whether nothing in a sentence may be taken as said in earnest by its writer. */
export function isNotEarnest(text: string): boolean {
  return JOKE.test(text) || CODE.test(text)
}

export function isUnreal(text: string): boolean {
  return UNREAL.test(text)
}

export function isCommand(text: string): boolean {
  return COMMAND.test(text)
}

export function isTold(text: string): boolean {
  return TOLD.test(text)
}

/** A sentence that supposes something supposes all of it. */
const SUPPOSING =
  /^(?:(?:and|but|so|ok|okay|hey|well|now|just|please|pls),?\s+)*(?:if|imagine|suppose|supposing|assume|pretend|let['’]?s (?:say|pretend|imagine|assume|role-?play|play)|role-?play|you(?:['’]re| are) (?:now )?an?\b|say i|what if|hypothetically|for example|for instance|act as|should i|wish(?! me))\b/i
/** Work on a text: what follows the colon, or the whole rest, is that text. */
const WORK_ON_TEXT =
  /\b(?:translat\w*|summari[sz]e|rewrite|rephrase|reword|fix|correct|proofread|check|explain|polish|improve|shorten|tl;?dr|analy[sz]e|review|edit|paraphrase|simplify|pasting|pasted|reads?|says?|here['’]?s|transcript|convert|turn|make|write|compose|draft|poem)\b[^:]*:/i

/** Of the talk itself. */
const TALK =
  /^my (?:bad|apolog\w+|pleasure|good(?:ness)?|god|fault|mistake|question|point|guess)\b|^i (?:really |do |quite )?(?:like|love|hate|prefer) (?:your|that|this|the (?:first|second|third|last|other|new|old|short\w*|long\w*)) (?:one|answer|reply|version|idea|option|suggestion|draft|tone|title|line)s?\b/i

export function isTalk(text: string): boolean {
  return TALK.test(text)
}

export function isSupposing(text: string): boolean {
  return SUPPOSING.test(text)
}

/** What stands before the colon of such work; null: there is no such colon. */
export function cutAtColon(text: string): string | null {
  if (!WORK_ON_TEXT.test(text) || /:\s*[)(DP]|\d:\d/.test(text)) return null
  return text.slice(0, text.indexOf(':'))
}

/** Whether a sentence plays with people instead of telling of them. */
export function isPlay(text: string): boolean {
  return (
    isNotEarnest(text) ||
    isSupposing(text) ||
    /\b(?:pretend|imagine|suppose|what if|story|poem)\b/i.test(text)
  )
}

const ITEMS =
  /^((?:i|we)(?:['’]ve| have|['’]ve got| use| have got| got)\s(?:got\s)?)(\p{Lu}[\p{L}\d+]*(?:\s\p{Lu}[\p{L}\d+]*)?)((?:,\s\p{Lu}[\p{L}\d+]*)*)\s(?:and|&)\s(\p{Lu}[\p{L}\d+]*(?:\s\p{Lu}[\p{L}\d+]*)?)(?:\sonly)?[.!]*$/iu

/** A list of things with names, each a statement of its own: one of them may end while the others stay. */
export function eachNamed(text: string): string[] {
  const [, start = '', first = '', more = '', last = ''] = ITEMS.exec(text) ?? []
  if (!first || !/^\p{Lu}/u.test(first) || !/^\p{Lu}/u.test(last)) return [text]
  return [first, ...more.split(',').map((item) => item.trim()), last]
    .filter((item) => item !== '')
    .map((item) => start + item)
}

/** "No mushrooms, I can't stand them" with what "them" is; null where nothing says. */
export function withAntecedent(clause: string, before: string): string | null {
  if (!/\bthem[.!?)]*$/i.test(clause)) return clause
  const [, noun] = /([\p{Ll}-]{3,}s)[\s,.;:&-]*(?:and|but|so|because|bc)?\s*$/u.exec(before) ?? []
  return noun ? clause.replace(/\bthem\b(?=[.!?)]*$)/i, `them (${noun})`) : null
}

/** What is played at from here on is played to the end of the message. */
export function isPretending(text: string): boolean {
  return /\b(?:let['’]?s (?:pretend|imagine|play|role-?play)|role-?play|pretend|imagine (?:you|i|we)|just imagine)\b/i.test(
    text
  )
}

/** Hands over somebody's text: what follows is that text, in marks or not. */
export function isHandingOver(text: string): boolean {
  return /\b(?:wrote|sent|got|received|posted|shared|pasted|forwarded|found) (?:me |us )?(?:this|the following)\b|\bis (?:this|it) (?:ok|okay|fine|alright|any good|correct)\s*\?/i.test(
    text
  )
}
