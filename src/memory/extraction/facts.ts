/** What extraction finds, by rules or by a model, before it is reconciled with what is known. */
export interface FoundFact {
  /** The statement, able to stand alone. */
  text: string
  category: string
  tags: string[]
  importance: number
  importanceReason: string
  /** The exact words in the message, and where they begin. */
  quote: string
  quoteStart: number
  /** Whom or what it is about, and which attribute it fills; null: nothing that could be compared. */
  subject: string | null
  slot: string | null
  /** When it began or will end, where the words say so. */
  validFrom: Date | null
  validTo: Date | null
  /** Somebody else's words that the owner passes on are for the owner to approve. */
  saidBy: 'owner' | 'other'
  /** The message's own words that show a change; null: none do. */
  evidence: string | null
  /** The memories that it says are over, by their ids. */
  ends: string[]
  /** False for what only ends something and says nothing that lasts. */
  lasting: boolean
}

/** A memory that a message may have to do with. */
export interface Remembered {
  id: string
  text: string
  subject: string | null
  slot: string | null
  /** When it began to hold, or was recorded. */
  since: Date
}

/** The owner, as a subject. */
export const OWNER = 'owner'

/** A category that the owner gave by hand, and to what: it teaches how the like is sorted. */
export interface OwnCategory {
  category: string
  subject: string | null
  text: string
}

/** Something the owner has spoken of before, and an attribute of it that is known. */
export interface Known {
  subject: string
  slot: string | null
  /** What somebody is to the owner, as the first tag of what is remembered of them. */
  relation: string | null
}
