import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { PNG } from '../chat/images.ts'
import { eventually } from '../support/eventually.ts'
import { finishedReply, hasBrowser, send, sentBy, useBrowser } from './browser.ts'
import { talkTo } from './talk-to.ts'

const PHONE = { width: 390, height: 844 }

/** Runs in the page: gives the composer a file as a clipboard or a pointer does. */
const GIVE = `(kind, bytes) => {
  const data = new DataTransfer()
  data.items.add(new File([new Uint8Array(bytes)], kind + '.png', { type: 'image/png' }))
  const init = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data }
  const event = kind === 'paste' ? new ClipboardEvent(kind, init) : new DragEvent(kind, init)
  document.querySelector('textarea').dispatchEvent(event)
}`

describe.skipIf(!hasBrowser)('conversations, in a browser', () => {
  const browser = useBrowser()
  const listOf = (page: Page) => page.getByRole('navigation', { name: 'Conversations' })

  async function choose(page: Page, title: string, option: string): Promise<void> {
    await listOf(page).getByRole('link', { name: title }).hover()
    await page.getByRole('button', { name: `Options for ${title}` }).click()
    await page.getByRole('menuitem', { name: option }).click()
  }

  test('one is found by what was said, archived, found still, exported, and brought back', {
    timeout: 180_000
  }, async () => {
    const { page, troubles } = await talkTo(browser(), (said) => `You said: ${said}`)
    await send(page, 'Good morning')
    await finishedReply(page, 'You said: Good morning')
    await send(page, 'The hives stand in Tromsø')
    await finishedReply(page, 'You said: The hives')
    await page.getByRole('link', { name: 'New chat' }).click()
    await send(page, 'I like trains')
    await finishedReply(page, 'You said: I like trains')

    await choose(page, 'Good morning', 'Archive')
    await listOf(page).getByRole('link', { name: 'Good morning' }).waitFor({ state: 'detached' })
    const search = page.getByRole('searchbox', { name: 'Search conversations' })
    await search.fill('hive in tromso')
    const found = listOf(page).getByRole('link', { name: /Good morning.*Archived/ })
    await found.waitFor()
    expect(await found.locator('mark').allTextContents()).toEqual(expect.arrayContaining(['hives', 'Tromsø']))
    expect(await listOf(page).getByRole('link').count()).toBe(1)
    await found.click()
    await finishedReply(page, 'The hives stand in Tromsø')
    await search.fill('submarines')
    await listOf(page).getByText('Nothing was said of that').waitFor()
    await search.press('Escape')

    await listOf(page).getByRole('button', { name: 'Archived' }).click()
    const download = page.waitForEvent('download')
    await choose(page, 'Good morning', 'Export as Markdown')
    const file = await download
    expect(file.suggestedFilename()).toBe('Good-morning.md')
    expect(readFileSync(await file.path(), 'utf8')).toMatch(
      /^# Good morning\n[\s\S]*The hives stand in Tromsø/
    )
    await choose(page, 'Good morning', 'Bring back')
    await listOf(page).getByText('Nothing is archived').waitFor()
    await page.getByRole('button', { name: 'Back to all conversations' }).click()
    await listOf(page).getByRole('link', { name: 'Good morning' }).waitFor()
    expect(troubles).toEqual([])
  })

  test('an image goes with a message, and is there after a reload', { timeout: 180_000 }, async () => {
    const { page, troubles } = await talkTo(browser(), (said) => `You showed: ${said}`)
    const toSend = page.getByRole('list', { name: 'Images to send' })
    const button = page.getByRole('button', { name: 'Send' })
    await page
      .getByLabel('Images to attach')
      .setInputFiles(['bees.png', 'spare.png'].map((name) => ({ name, mimeType: 'image/png', buffer: PNG })))
    await toSend.getByRole('img', { name: 'bees.png' }).waitFor()
    expect(await button.isDisabled()).toBe(true)
    await page.getByText('Say a few words with it').waitFor()
    await toSend.getByRole('button', { name: 'Remove spare.png' }).click()
    await send(page, 'What is this?')
    await finishedReply(page, 'You showed: What is this? (image_url)')
    const shown = sentBy(page, 'You').getByRole('img', { name: 'bees.png' })
    await shown.waitFor()
    expect(await toSend.count()).toBe(0)
    await page.reload()
    await shown.waitFor()
    const width = () => shown.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth)
    await eventually(async () => expect(await width()).toBe(1))

    await page.getByLabel('Images to attach').setInputFiles({
      name: 'bees.svg',
      mimeType: 'image/svg+xml',
      buffer: Buffer.from('<svg/>')
    })
    await page.getByText('Only PNG, JPEG, WebP and GIF images can be sent', { exact: true }).waitFor()
    // What only says that it is an image is refused by the server, and can be taken away.
    troubles.splice(0)
    await page
      .getByLabel('Images to attach')
      .setInputFiles({ name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<html>') })
    await toSend.getByRole('alert').filter({ hasText: 'not a PNG' }).waitFor()
    expect(troubles.splice(0)).toEqual([expect.stringContaining('400')])
    await toSend.getByRole('button', { name: 'Remove page.png' }).click()
    await toSend.waitFor({ state: 'detached' })
    expect(troubles).toEqual([])
  })

  test('an image is pasted and dropped, on a phone too', { timeout: 180_000 }, async () => {
    const { page } = await talkTo(browser(), (said) => `You showed: ${said}`)
    await page.setViewportSize(PHONE)
    for (const kind of ['paste', 'drop']) {
      await page.evaluate(`(${GIVE})(${JSON.stringify(kind)}, ${JSON.stringify([...PNG])})`)
      await page.getByRole('img', { name: `${kind}.png` }).waitFor()
    }
    await send(page, 'Look')
    await finishedReply(page, 'You showed: Look (image_url) (image_url)')
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    expect(overflow).toBeLessThanOrEqual(0)
    // Whoever opens the menu has not asked for the keyboard.
    await page.getByRole('button', { name: /menu/i }).click()
    const search = page.getByRole('dialog').getByRole('searchbox')
    await search.waitFor()
    expect(await search.evaluate((box) => box.matches(':focus'))).toBe(false)
    await page.keyboard.press('Escape')
    await search.waitFor({ state: 'detached' })
  })

  test('what a reply used can be asked for after a reload', { timeout: 180_000 }, async () => {
    const { page, troubles } = await talkTo(browser(), () => 'In Tromsø [1].')
    await page.getByRole('link', { name: 'Memories' }).click()
    await page.getByRole('button', { name: 'Add' }).first().click()
    await page.getByRole('dialog').getByRole('textbox').fill('Ada keeps bees in Tromsø')
    await page.getByRole('button', { name: 'Remember it' }).click()
    await page.getByRole('main').getByText('Ada keeps bees').waitFor()
    await page.getByRole('link', { name: 'New chat' }).click()
    await send(page, 'Where does Ada keep bees?')
    const reply = await finishedReply(page, 'In Tromsø')
    await reply.getByText('1 memory used').waitFor()
    await page.reload()
    await reply.getByText('Which memories were used?').click()
    await reply.getByText('1 memory used').waitFor()
    await reply.getByRole('listitem').filter({ hasText: 'Ada keeps bees in Tromsø' }).first().waitFor()
    expect(troubles).toEqual([])
  })
})
