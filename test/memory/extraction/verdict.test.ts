import { describe, expect, test } from 'vitest'
import type { FoundFact } from '../../../src/memory/extraction/facts.ts'
import { compareStatements } from '../../../src/memory/extraction/sameness.ts'
import { isSameSubject, normaliseSlot, normaliseSubject } from '../../../src/memory/extraction/slots.ts'
import { guard, judge, type Standing, type VerdictKind } from '../../../src/memory/extraction/verdict.ts'

const MARCH = new Date('2025-03-01T00:00:00Z')
const JUNE = new Date('2025-06-01T00:00:00Z')

function fact(text: string, more: Partial<FoundFact> = {}): FoundFact {
  return {
    text,
    category: 'fact',
    tags: [],
    importance: 0.5,
    importanceReason: '',
    quote: text,
    quoteStart: 0,
    subject: null,
    slot: null,
    validFrom: null,
    validTo: null,
    saidBy: 'owner',
    evidence: null,
    ends: [],
    lasting: true,
    ...more
  }
}

function standing(text: string, more: Partial<Standing> = {}): Standing {
  return {
    id: 'known',
    text,
    subject: null,
    slot: null,
    status: 'active',
    pinned: false,
    since: MARCH,
    ...more
  }
}

describe('two statements', () => {
  test.each([
    ['I am allergic to hazelnuts', 'I’m allergic to hazelnuts, obviously!', 'same'],
    ['My sister Ada keeps bees', 'My sister Ada keeps bees in Tromsø', 'less'],
    ['My sister Ada keeps bees in Tromsø', 'My sister Ada keeps bees', 'more'],
    ['I eat meat', 'I don’t eat meat', 'different'],
    ['I play tennis on Tuesdays', 'I play tennis on Thursdays', 'different'],
    ['My rent is 820', 'My rent is 850', 'different'],
    ['My sister Ada lives in Oslo', 'My sister Eva lives in Oslo', 'different'],
    ['I like it', 'I love them', 'different'],
    ['I don’t hate jazz', 'I hate jazz', 'different'],
    ['I don’t hate jazz', 'I love jazz', 'different']
  ])('“%s” beside “%s” says %s', (fresh, known, sameness) => {
    expect(compareStatements(fresh, known)).toBe(sameness)
  })
})

describe('subjects and slots have one spelling', () => {
  test('whoever writes them', () => {
    expect(['the user', 'I', 'Owner', 'me'].map(normaliseSubject)).toEqual([
      'owner',
      'owner',
      'owner',
      'owner'
    ])
    expect(normaliseSubject('My sister Ada')).toBe('sister ada')
    expect(['Home_City', 'lives in', 'residence'].map(normaliseSlot)).toEqual(['home', 'home', 'home'])
    expect([normaliseSlot(' '), normaliseSubject('')]).toEqual([null, null])
    expect(isSameSubject('sister ada', 'ada')).toBe(true)
    expect(isSameSubject('eva', 'ada')).toBe(false)
    expect(isSameSubject('owner', 'ada')).toBe(false)
    expect(isSameSubject(null, null)).toBe(false)
  })
})

const HOME = { subject: 'owner', slot: 'home' }
const ME = { subject: 'owner' }

describe('the verdict by words', () => {
  const verdict = (found: FoundFact, since: Date, ...known: Standing[]) => judge(found, since, known).kind

  test.each<[string, FoundFact, Date, Standing, VerdictKind]>([
    ['a later home', fact('I live in Bergen', HOME), JUNE, standing('I live in Oslo', HOME), 'supersedes'],
    [
      'an earlier home',
      fact('I live in Bergen', HOME),
      new Date(0),
      standing('I live in Oslo', HOME),
      'outdated'
    ],
    [
      'two homes at once',
      fact('I live in Bergen', HOME),
      MARCH,
      standing('I live in Oslo', HOME),
      'conflicts'
    ],
    [
      'somebody else’s home',
      fact('Ada lives in Bergen', { subject: 'ada', slot: 'home' }),
      JUNE,
      standing('I live in Oslo', HOME),
      'new'
    ],
    [
      'a second liking, even with words of change',
      fact('I like jazz now', { subject: 'owner', slot: 'likes', evidence: 'now' }),
      JUNE,
      standing('I like folk', { subject: 'owner', slot: 'likes' }),
      'new'
    ],
    [
      'another blood group',
      fact('My blood group is B', { subject: 'owner', slot: 'blood group' }),
      JUNE,
      standing('My blood group is A', { subject: 'owner', slot: 'blood group' }),
      'conflicts'
    ],
    [
      'another time without a word of change',
      fact('Team meets Fridays', { subject: 'team', slot: 'schedule' }),
      JUNE,
      standing('Team meets Mondays', { subject: 'team', slot: 'schedule' }),
      'new'
    ],
    [
      'another time, moved',
      fact('Team moved to Fridays', { subject: 'team', slot: 'schedule', evidence: 'moved to' }),
      JUNE,
      standing('Team meets Mondays', { subject: 'team', slot: 'schedule' }),
      'supersedes'
    ],
    [
      'the same, denied',
      fact('I am not allergic to nuts', ME),
      JUNE,
      standing('I’m allergic to nuts', ME),
      'conflicts'
    ],
    [
      'the same, denied, said to have changed',
      fact('I no longer eat meat', { ...ME, evidence: 'no longer' }),
      JUNE,
      standing('I eat meat', ME),
      'supersedes'
    ],
    [
      'the same, denied, in words that say it has changed',
      fact('I no longer eat meat', ME),
      JUNE,
      standing('I eat meat', ME),
      'supersedes'
    ],
    [
      'what was so before it was said to be over',
      fact('I eat meat', ME),
      MARCH,
      standing('I no longer eat meat', { ...ME, since: JUNE }),
      'outdated'
    ],
    [
      'the same, written by hand without a subject, denied',
      fact('I am not allergic to nuts'),
      JUNE,
      standing('I am allergic to nuts'),
      'conflicts'
    ],
    [
      'another value of an attribute of one, which is also denied',
      fact('I am not vegetarian', { ...ME, slot: 'diet' }),
      JUNE,
      standing('I am vegetarian', { ...ME, slot: 'diet' }),
      'conflicts'
    ],
    ['what is hated and was loved', fact('I hate jazz', ME), JUNE, standing('I love jazz', ME), 'conflicts'],
    ['something else denied', fact('I do not eat fish', ME), JUNE, standing('I eat meat', ME), 'new'],
    [
      'the same of somebody else, denied',
      fact('Ada does not eat meat', { subject: 'ada' }),
      JUNE,
      standing('I eat meat', ME),
      'new'
    ],
    ['another number', fact('I have 3 children', ME), JUNE, standing('I have two children', ME), 'conflicts'],
    ['another number of others', fact('I have 3 cats', ME), JUNE, standing('I have two children', ME), 'new'],
    ['what was done again', fact('I ran 10 km', ME), JUNE, standing('I ran 5 km', ME), 'new']
  ])('%s', (_what, found, since, known, kind) => {
    expect(verdict(found, since, known)).toBe(kind)
  })
})

describe('no model passes the guards', () => {
  const rival = standing('I live in Oslo', HOME)
  const guarded = (kind: VerdictKind, found: FoundFact, known = rival, since = JUNE) =>
    guard({ kind, id: known.id, reason: '' }, found, since, [known]).kind

  test('superseding asks for the same subject, the same single slot, and a later date', () => {
    expect(guarded('supersedes', fact('I live in Bergen', HOME))).toBe('supersedes')
    expect(guarded('supersedes', fact('Ada lives in Bergen', { subject: 'ada', slot: 'home' }))).toBe('new')
    expect(guarded('supersedes', fact('I work in Bergen', { subject: 'owner', slot: 'employer' }))).toBe(
      'new'
    )
    expect(guarded('supersedes', fact('I live in Bergen'))).toBe('new')
    expect(guarded('supersedes', fact('I live in Bergen', HOME), rival, new Date(0))).toBe('outdated')
    const likes = { subject: 'owner', slot: 'likes', evidence: 'now' }
    expect(guarded('supersedes', fact('I like jazz now', likes), standing('I like folk', likes))).toBe('new')
  })

  test('what does not change conflicts, unless the words say it changed', () => {
    const birthday = { subject: 'owner', slot: 'birthday' }
    const known = standing('My birthday is 1 May', birthday)
    expect(guarded('supersedes', fact('My birthday is 2 May', birthday), known)).toBe('conflicts')
    const corrected = fact('My birthday is 2 May', { ...birthday, evidence: 'correction' })
    expect(guarded('supersedes', corrected, known)).toBe('supersedes')
  })

  test('a duplicate or a refinement has the same subject and figures that agree', () => {
    expect(guarded('duplicate', fact('Oslo is my home', HOME))).toBe('duplicate')
    expect(guarded('duplicate', fact('Ada’s home is Oslo', { subject: 'ada' }))).toBe('new')
    const rent = { subject: 'owner', slot: 'rent' }
    expect(guarded('refines', fact('Rent is 850', rent), standing('Rent is 820', rent))).toBe('new')
  })

  test('a duplicate denies no more, and names and counts nothing that is not there', () => {
    const meat = standing('I eat meat', ME)
    expect(guarded('duplicate', fact('I don’t eat meat', ME), meat)).toBe('conflicts')
    expect(guarded('duplicate', fact('I eat meat most days', ME), meat)).toBe('duplicate')
    expect(guarded('duplicate', fact('I live in Bergen', HOME))).toBe('supersedes')
    const sister = standing('My sister Ada keeps bees in Tromsø', { subject: 'ada' })
    expect(guarded('duplicate', fact('My sister keeps bees', { subject: 'ada' }), sister)).toBe('duplicate')
    expect(guarded('duplicate', fact('My sister Eva keeps bees', { subject: null }), sister)).toBe('new')
    const tennis = standing('I play tennis on Tuesdays', ME)
    expect(guarded('duplicate', fact('I play tennis on Thursdays', ME), tennis)).toBe('new')
    const seven = standing('I have 7 hives', ME)
    expect(guarded('duplicate', fact('My hives are seven', ME), seven)).toBe('duplicate')
  })

  test('a refinement keeps what was named, counted and denied', () => {
    expect(guarded('refines', fact('I moved to Bergen', HOME))).toBe('supersedes')
    expect(guarded('refines', fact('I live in Oslo, near the park', HOME))).toBe('refines')
    expect(guarded('refines', fact('My flat is in Oslo, by the Akerselva', HOME))).toBe('refines')
    const nuts = standing('I am not allergic to nuts', ME)
    expect(guarded('refines', fact('I am allergic to nuts and eggs', ME), nuts)).toBe('new')
    const kids = standing('I have two children', ME)
    expect(guarded('refines', fact('I have children, Leila and Omar', ME), kids)).toBe('new')
    expect(guarded('refines', fact('I have 2 children, Leila and Omar', ME), kids)).toBe('refines')
  })

  test('a memory that was never shown is not touched', () => {
    const verdict = guard({ kind: 'supersedes', id: 'invented', reason: '' }, fact('I like jazz'), JUNE, [
      rival
    ])
    expect(verdict).toMatchObject({ kind: 'new', id: null })
  })
})
