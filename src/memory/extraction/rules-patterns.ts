/** The shapes of clauses: who or what one begins with, and how it is bound to what came before. */

/** Asked for by name: the highest importance, whatever it says. */
export const REMEMBER =
  /^(?:please\s+|pls\s+|pai,?\s+|could you\s+|can you\s+)*(?:(?:remember|note|don['’]t forget|keep in mind|memori[sz]e|make a note|log for me|add to my notes|for (?:the|your) record)(?:\s+that|\s*:|,)?|remind me(?=\s+(?:to|that)\b))\s+(.+)$/i
/** How PAI is to behave from now on. */
const ORDER =
  '(?:answer|reply|write|sign|use|call|keep|give|send|speak|address|format|start|end|include|show|put|add|stop)'
export const STANDING_ORDER = new RegExp(
  `^(?:(?:please|pls|and|also|perfect|ok|btw),?\\s+|(?:can|could) (?:you|u) )*(?:(?:always|never) ${ORDER}\\b|stop (?:using|adding|suggesting|calling|giving|saying|asking|sending)\\b|${ORDER}\\b.*\\b(?:from now on|going forward|in future|always|never|every time)\\b|call me\\s)`,
  'i'
)
export const ORDER_WITHIN = new RegExp(`\\b(?:can|could) (?:you|u) (${ORDER}\\b.*\\bfrom now on\\b.*)`, 'i')
export const OPENING =
  /^(?:(?:and|but|so|also|btw|fyi|oh|well|actually|yes|no|yeah|ok|okay|hi|hey|hello|hiya|morning|haha|lol|again|anyway|plus|sorry|correction|tiny correction[^:]*|heads up|note|as i said|turns out|quick q|ugh|help|right|asking|because|bc|since|as|while|though|then|perfect|please|pls)(?:[,!:.]+\s*|\s+))+/i
export const OWN_SUBJECT = /^(?:(?:(?:my|our)\s)?\p{L}{3,}\sand\s)?(?:i|we)(?:['’]\w+)?\b/iu
/** What may stand before the subject: when, where, since what. */
export const LEAD =
  /^((?:(?:ever )?since|after|before|at|in|on|from|for|during|until|till|last|next|every|right now|now|currently|nowadays|these days|because of|thanks to|as of|with|besides|apart from|starting|growing up|normally|usually|most)\b[^,;?!]{0,60}?),?\s(?=(?:i|we|my|our)(?:['’]\w+)?\s)/i
/** "Her birthday's on the 2nd": a thing of somebody who was spoken of. */
export const THEIR_THING = /^(her|his|their)(\s[\p{L}\s'’-]{2,30}?(?:['’]s|\s(?:is|are|was|were))\s.+)$/iu
/** "Mine's called Rex" where a dog was asked about. */
export const MINE = /^mine(?=['’]s\s|\s(?:is|are|has)\s)/i
export const OWN_THING =
  /^(?:my|our)\s+(?:[\p{L}\p{N}'’&-]+\s+){1,5}?(?:is|are|was|were|has|have|had|means|starts?|leaves|lives|meets?|costs?|needs|uses|makes|got|opens|closes|runs|takes|comes|gets|stays|moved|does|loves|hates|likes|can|can['’]t|cannot|won['’]t|doesn['’]t|don['’]t|squeaks)\b|^(?:my|our)\s+[\p{L}-]+\s+\p{Ll}{3,}s\s(?:on|at|in|every|for|with|to)\b|^(?:my|our)\s+(?:[\p{L}\p{N}'-]+['’]s)\s/iu
export const SCHEDULED =
  /^\(?(?:the|our|my)\s+[\p{L}\s'’-]{3,40}?\s(?:stays|is on|are on|is at|meets|comes|starts|takes place)\s.*(?:\d|days?\b)|^the\s[\p{L}\s'’-]{3,40}?\s(?:has|have|is|are)\s(?:now |just )?(?:gone over to|switched to|moved to|been moved to|renamed)\s/iu
/** A thing of the owner's that is named without "my". */
export const BARE_THING =
  /^(?:house|flat|kitchen|garden|rent|car|bike|dog|cat|wife|husband|mum|mom|dad|boss)\s(?:is|are|was|has)\s|^(?:[\p{L}-]+\s){1,2}(?:is|are) (?:called|named) \p{Lu}|^(?:my )?new (?:e-?mail|number|phone|address|mobile)(?: address| number)?(?: is|:)\s|^\p{Lu}\p{Ll}+ is my \p{Ll}+ \p{Lu}/iu
export const ELLIPTIC =
  /^(?:(?:just|finally|recently|also|only|now)\s+)*(?:left|traded|ditched|dropped|scrapped|retrained|finished|moved|bought|sold|cancel(?:led|ed)|joined|got|started|quit|adopted|retired|switched|swapped|gave up|stopped|renamed|enrolled|signed up)\b(?!\s(?:it|this|that|back|home|your|you)\b)/i
export const BRAND =
  /\b[Mm]y\s((?:\p{Lu}[\p{L}\d-]+\s)(?:\p{Lu}[\p{L}\d-]*|\d+)(?:\s(?:\p{Lu}[\p{L}\d-]*|\d+))*)/u
export const PRONOUN =
  /^((?:from|since|as of|starting|these days|now|nowadays|apparently)\s(?:[\w]+\s?){0,3},?\s?)?(he|she|they)(['’](?:s|re|ve|d|ll))?\b/i
export const VERB =
  /\s(?:is|are|was|were|has|had|have|\w+s|\w+ed|can['’]?t|can|does|did|lived?|work|keep|live|love|like|hate|play|never|only)\b|['’]s\s/i
export const REPORTING =
  /^\S+(?:\s\S+){0,2}\s(?:wrote|shared|posted|recommended|suggested|advised|mentioned|promised|texted|asked|called|rang|sent|emailed|thinks?|reckons|laughed|says?|said)\b/i
/** Points back at something that was not said in the same breath. */
export const DANGLING = /\b(?:it|them|that|this|one|those|these|there|here)[.!?)]*$|\bgo by that\b/i
export const WANTING = /\b(?:needs?|wants?|would like)\b/i
/** A parting has its own terms. */
export const BROAD = /\b(?:together|divorced|separated|broke up|split up)\b/i
export const AS_ROLE = /^as ((?:an?|the) [^,.]{3,60}?),? (?:can |do |should |must |may |could )?i\b/i
export const SUCCEEDS = /^(?:so now|so|now|instead)\b/i
/** Words that only soften what was said. */
export const HEDGE = /,?\s(?:i['’]d say|i guess|i suppose|i think|if you ask me)(?=[.!]*$)/i
export const HERE_IN = /\b(?:[Hh]ere|[Bb]ack|[Hh]ome) in (\p{Lu}[\p{L}'’-]+(?:\s\p{Lu}[\p{L}'’-]+)?)/u
export const AWAY =
  /\b(?:holiday|vacation|trip|hotel|hostel|visiting|airbnb|weekend|conference|flight|travell?ing)\b/i
/** A text about the owner, made of the owner's facts. */
export const ABOUT_ME =
  /\b(?:bio|profile|introduction|byline|signature|cv|about)\b[^:]{0,30}\b(?:me|my|myself)\b[^:]{0,20}:\s+(.{5,200})$/i
