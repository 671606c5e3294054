import { stemWord } from '../search/analyze.ts'

/** Common English words that carry some meaning, from the most to the least frequent, roughly. */
const COMMON_WORDS = `
  one go get like know time see make think good now come want look use going way say two day thing great take
  people back need tell give first work new year feel much even many love right find try something lot help
  week around never always still ask every put another big long old last keep leave call little start today
  live hope nice home friend family show away life man talk sure part play next best move mean place since
  happy wow thanks glad hey hi hello sorry maybe guess pretty cool awesome amazing wonderful fun bit world
  night high point seem turn hand done late three run kind read important child car house school hear woman
  enjoy end believe stay begin support become together small set number study city plan sound write meet eat
  learn morning change watch follow stop open name walk anything everything everyone someone early minute
  hour month tomorrow yesterday tonight already soon later ago almost often usually sometimes twice second
  third four five six seven eight nine ten half whole full hard easy real true different special able ready
  excited interesting idea reason problem question answer word story book picture photo money job buy pay
  food water room door street side head face eye heart mind body fact case matter result group company team
  girl boy kid parent mother father mom dad brother sister son daughter wife husband baby young close near
  far free bring send share spend wait win lose grow sit stand hold carry break cut drive build understand
  remember forget decide choose agree happen remain allow add consider appear actually definitely probably
  especially exactly finally recently totally absolutely certainly enough perhaps although instead whether
  across along behind beside inside outside toward onto past couple several bunch less least better worse
  bad worst sort type form line area country state system program government business service power member
  law community event experience moment chance choice level order course class teacher student college
  university office afternoon weekend summer winter spring autumn holiday vacation trip travel visit party
  dinner lunch breakfast coffee music song movie game sport phone computer internet email message letter
  paper list note date birthday age monday tuesday wednesday thursday friday saturday sunday january
  february march april june july august september october november december white black red blue green dog
  cat animal tree flower garden park beach mountain river sea sun rain weather hot cold warm beautiful
  strong healthy tired proud dear favorite favourite perfect crazy weird scary funny serious simple clear
  quick fast slow deep short low wide dark light cheap expensive rich poor health doctor hospital dream goal
  future history nature art science language english speak voice smile laugh cry sleep wake dance sing cook
  drink wear shop sell cost price store market bank bill hotel restaurant kitchen bed table chair window
  wall floor bag box bottle cup shirt shoe hat clothes hair arm leg foot mouth check pick pass pull push
  throw catch fall raise rise drop reach join cover enter return explain suggest offer accept expect imagine
  wonder wish create develop improve practice train teach finish continue focus challenge journey relax
  worry fear hurt fight kill die dead lead manage`

/** What the first and the last word of the list weigh; a word that is not on it weighs 1. */
const FIRST_WEIGHT = 0.6
const LAST_WEIGHT = 0.95

const words = COMMON_WORDS.trim().split(/\s+/)
const weights = new Map(words.map((word, index) => [stemWord(word), weighRank(index + 1)]))

/** How much a stemmed content term tells of what a text is about: a rare word or a name tells most, 1. */
export function weighTerm(term: string): number {
  return weights.get(term) ?? 1
}

function weighRank(rank: number): number {
  return FIRST_WEIGHT + ((LAST_WEIGHT - FIRST_WEIGHT) * Math.log(rank)) / Math.log(words.length)
}
