import { describe, expect, onTestFinished, test } from 'vitest'
import { startPai } from '../faults/pai-process.ts'
import { createDataFolder } from '../support/database.ts'
import { finishedReply, hasBrowser, send, signUp, useBrowser, visit, waitForMemory } from './browser.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'

describe.skipIf(!hasBrowser)('memories, in a browser', () => {
  const browser = useBrowser()

  test('one click says where a memory comes from, and another forgets it, with a way back', {
    timeout: 120_000
  }, async () => {
    const pai = await startPai(
      { PAI_DATA_DIR: createDataFolder().path, PAI_CHAT_MODEL: 'offline' },
      onTestFinished
    )
    const { page, troubles } = await visit(browser(), pai.url)
    await signUp(page, 'Mira')
    await send(page, BEES)
    await finishedReply(page, 'Noted')
    await waitForMemory(page, BEES)
    const card = page.getByRole('main').getByRole('listitem').filter({ hasText: BEES })

    await card.getByRole('button', { name: 'Why do you know this?' }).click()
    const why = page.getByRole('dialog', { name: 'Why do you know this?' })
    await why.getByRole('blockquote').waitFor()
    expect(await why.getByRole('blockquote').textContent()).toBe(BEES)
    await why.getByRole('link').click()
    await page.getByRole('article', { name: 'You' }).getByText(BEES).waitFor()

    await page.getByRole('link', { name: 'Memories' }).click()
    await card.getByRole('button', { name: 'Forget' }).click()
    await page.getByText('Nothing to remember yet').waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await card.waitFor()

    // The notice goes away, or the page does; the way back stays as long as there is one.
    await card.getByRole('button', { name: 'Forget' }).click()
    const forgotten = page.getByRole('list', { name: 'Forgotten just now' })
    await forgotten.getByText('gone for good in 10 minutes').waitFor()
    await page.goBack()
    await page.getByRole('article', { name: 'You' }).getByText('[forgotten]').waitFor()
    await page.getByRole('link', { name: 'Memories' }).click()
    await page.reload()
    await forgotten.getByRole('button', { name: 'Bring back' }).click()
    await card.waitFor()
    await forgotten.waitFor({ state: 'detached' })
    expect(troubles).toEqual([])
  })

  test('a correction says what it took the place of, and a reply one click from why it knows', {
    timeout: 120_000
  }, async () => {
    const pai = await startPai(
      { PAI_DATA_DIR: createDataFolder().path, PAI_CHAT_MODEL: 'offline' },
      onTestFinished
    )
    const { page, troubles } = await visit(browser(), pai.url)
    await signUp(page, 'Mira')
    const learnt = page.getByRole('list', { name: 'Remembered from this message' })
    await send(page, 'I live in Oslo.')
    await learnt.getByText('Remembered: I live in Oslo.').waitFor()
    await send(page, 'I moved from Oslo to Bergen.')
    await learnt.getByText('in place of “I live in Oslo.”').waitFor()
    await learnt.getByRole('button', { name: 'Bergen' }).click()
    const why = page.getByRole('dialog', { name: 'Why do you know this?' })
    expect(await why.getByRole('blockquote').textContent()).toBe('I moved from Oslo to Bergen.')
    await why.getByRole('button', { name: 'Close' }).click()

    await page.getByRole('link', { name: 'New chat' }).click()
    await send(page, 'Where do I live?')
    const reply = await finishedReply(page, 'Bergen')
    await reply.getByText('1 memory used').click()
    await reply.getByRole('button', { name: 'Bergen' }).click()
    await why.getByRole('blockquote').waitFor()
    expect(troubles).toEqual([])
  })

  test('tidying ends with the profile in sight, and a pause is told of where one speaks', {
    timeout: 120_000
  }, async () => {
    const pai = await startPai(
      { PAI_DATA_DIR: createDataFolder().path, PAI_CHAT_MODEL: 'offline' },
      onTestFinished
    )
    const { page, troubles } = await visit(browser(), pai.url)
    await signUp(page, 'Mira')
    await send(page, BEES)
    await waitForMemory(page, BEES)
    await page.getByRole('link', { name: 'Tidying' }).click()
    await page.getByText('Nothing has been tidied yet').waitFor()
    await page.getByRole('button', { name: 'Tidy now' }).click()
    await page.getByRole('region', { name: 'Who you are to PAI' }).getByText(BEES).waitFor()

    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByLabel('Pause remembering').check()
    await page.getByRole('link', { name: 'New chat' }).click()
    await page.getByText('Remembering is paused').waitFor()
    expect(troubles).toEqual([])
  })
})
