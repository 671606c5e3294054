import { afterEach, describe, expect, test, vi } from 'vitest'
import { clearDrafts, readDraft, writeDraft } from '../src/chat/drafts.ts'

afterEach(() => void vi.unstubAllGlobals())

describe('a draft', () => {
  test('is kept for each conversation until it is empty', () => {
    const storage = stubStorage()
    expect(readDraft('c1')).toBe('')
    writeDraft('c1', 'Where does')
    writeDraft('new', 'My sister')
    expect([readDraft('c1'), readDraft('new'), readDraft('c2')]).toEqual(['Where does', 'My sister', ''])
    writeDraft('c1', '')
    expect(readDraft('c1')).toBe('')
    expect(Object.keys(storage)).toEqual(['pai.draft.new'])
  })

  test('goes with all others, and with nothing else', () => {
    const storage = stubStorage({ 'pai.theme': 'dark', other: 'x' })
    for (const slot of ['new', 'c1', 'c2']) writeDraft(slot, 'words')
    clearDrafts()
    expect({ ...storage }).toEqual({ 'pai.theme': 'dark', other: 'x' })
  })

  test('is a comfort: where nothing can be stored, nothing breaks', () => {
    vi.stubGlobal('localStorage', {
      getItem: refuse,
      setItem: refuse,
      removeItem: refuse
    })
    expect(readDraft('c1')).toBe('')
    writeDraft('c1', 'words')
    writeDraft('c1', '')
    vi.stubGlobal('localStorage', undefined)
    expect(readDraft('c1')).toBe('')
    clearDrafts()
  })
})

function refuse(): never {
  throw new DOMException('The quota has been exceeded', 'QuotaExceededError')
}

/** What is stored are its own properties, as those of a browser's. */
function stubStorage(stored: Record<string, string> = {}): Record<string, string> {
  const storage: Record<string, string> = Object.create({
    getItem: (key: string) => storage[key] ?? null,
    setItem(key: string, value: string) {
      storage[key] = value
    },
    removeItem(key: string) {
      delete storage[key]
    }
  })
  vi.stubGlobal('localStorage', Object.assign(storage, stored))
  return storage
}
