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
export const BRAND =
  /\b[Mm]y\s((?:\p{Lu}[\p{L}\d-]+\s)(?:\p{Lu}[\p{L}\d-]*|\d+)(?:\s(?:\p{Lu}[\p{L}\d-]*|\d+))*)/u
export const PRONOUN =
  /^((?:from|since|as of|starting|these days|now|nowadays|apparently)\s(?:[\w]+\s?){0,3},?\s?)?(he|she|they)(['’](?:s|re|ve|d|ll))?\b/i
export const AS_ROLE = /^as ((?:an?|the) [^,.]{3,60}?),? (?:can |do |should |must |may |could )?i\b/i
/** Words that only soften what was said. */
export const HEDGE = /,?\s(?:i['’]d say|i guess|i suppose|i think|if you ask me)(?=[.!]*$)/i
/** A text about the owner, made of the owner's facts. */
export const ABOUT_ME =
  /\b(?:bio|profile|introduction|byline|signature|cv|about)\b[^:]{0,30}\b(?:me|my|myself)\b[^:]{0,20}:\s+(.{5,200})$/i
