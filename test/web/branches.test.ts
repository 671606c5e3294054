import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { finishedReply, hasBrowser, PHONE, send, sentBy, signIn, useBrowser, visit } from './browser.ts'
import { talkTo } from './talk-to.ts'

/** Leaves pictures of what is on the screen, where somebody wants to look at them. */
async function picture(page: Page, name: string): Promise<void> {
  if (!process.env.PAI_PICTURES) return
  const before = page.viewportSize()
  for (const [look, width, colorScheme] of [
    ['desktop-light', 1280, 'light'],
    ['desktop-dark', 1280, 'dark'],
    ['phone-light', PHONE.width, 'light'],
    ['phone-dark', PHONE.width, 'dark']
  ] as const) {
    await page.setViewportSize({ width, height: 844 })
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${process.env.PAI_PICTURES}/${name}-${look}.png` })
  }
  await page.emulateMedia({ colorScheme: 'light' })
  if (before) await page.setViewportSize(before)
}

describe.skipIf(!hasBrowser)('branches, in a browser', () => {
  const browser = useBrowser()

  test('a message is said otherwise, and what was said before stays beside it', {
    timeout: 180_000
  }, async () => {
    const { page, troubles } = await talkTo(browser(), (said) => `You said: ${said}`)
    const mine = sentBy(page, 'You')
    const box = page.getByLabel('Edit message', { exact: true }).and(page.getByRole('textbox'))
    const pencil = (place: number) => mine.nth(place).getByRole('button', { name: 'Edit message' })
    await send(page, 'My hives stand in Tromsø')
    await finishedReply(page, 'You said: My hives stand in Tromsø')
    await send(page, 'They are well')
    await finishedReply(page, 'You said: They are well')

    await mine.first().hover()
    await pencil(0).click()
    expect(await box.inputValue()).toBe('My hives stand in Tromsø')
    await picture(page, 'edit')
    await box.press('Escape')
    await box.waitFor({ state: 'detached' })
    expect(await mine.count()).toBe(2)

    await mine.first().hover()
    await pencil(0).click()
    await box.fill('My hives stand in Bodø')
    await box.press('Enter')
    await finishedReply(page, 'You said: My hives stand in Bodø')
    expect(await mine.count()).toBe(1)
    await mine.first().getByText('2/2').waitFor()
    await picture(page, 'edited')

    await page.reload()
    await finishedReply(page, 'You said: My hives stand in Bodø')
    await mine.first().getByRole('button', { name: 'Previous version' }).click()
    await finishedReply(page, 'You said: They are well')
    expect(await mine.allTextContents()).toEqual([
      expect.stringContaining('My hives stand in Tromsø'),
      'They are well'
    ])

    // In the middle of a branch that is not the newest, by a finger.
    const phone = await visit(browser(), new URL(page.url()).origin, { isPhone: true })
    await signIn(phone.page, 'Ingrid')
    await phone.page.getByLabel('Message PAI').waitFor()
    await phone.page.goto(page.url())
    const theirs = sentBy(phone.page, 'You')
    await theirs.first().getByRole('button', { name: 'Previous version' }).tap()
    const second = theirs.nth(1)
    await second.getByText('They are well').waitFor()
    if (process.env.PAI_PICTURES)
      await phone.page.screenshot({ path: `${process.env.PAI_PICTURES}/touch.png` })
    await second.getByRole('button', { name: 'Edit message' }).tap()
    await second.getByRole('textbox').fill('They are not well')
    await second.getByRole('button', { name: 'Send' }).tap()
    await finishedReply(phone.page, 'You said: They are not well')
    expect(await theirs.first().textContent()).toContain('My hives stand in Tromsø')
    expect(await phone.page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width)
    expect([...troubles, ...phone.troubles]).toEqual([])
  })

  test('a reply that was cut at a limit says so, and goes on', { timeout: 120_000 }, async () => {
    const { page, troubles } = await talkTo(browser(), (said) =>
      said.includes('cut off')
        ? ' lived a queen.'
        : { deltas: ['Once upon a time there'], finishReason: 'length' }
    )
    await send(page, 'Tell me a story')
    const cut = await finishedReply(page, 'Once upon a time there')
    await cut.getByText('This reply was cut off').waitFor()
    await picture(page, 'cut')
    await page.reload()
    await cut.getByRole('button', { name: 'Continue' }).click()
    const whole = await finishedReply(page, 'Once upon a time there lived a queen.')
    await whole.getByText('2/2').waitFor()
    expect(await page.getByText('This reply was cut off').count()).toBe(0)
    await whole.getByRole('button', { name: 'Previous version' }).click()
    await page.getByText('This reply was cut off').waitFor()
    expect(troubles).toEqual([])
  })

  test('a browser that was never here opens where the account can be used', {
    timeout: 120_000
  }, async () => {
    const { page } = await talkTo(browser(), () => 'Hello')
    const { origin } = new URL(page.url())
    const other = await visit(browser(), origin)
    await other.page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await signIn(other.page, 'Ingrid')
    await other.page.getByLabel('Message PAI').waitFor()
    await other.page.reload()
    await other.page.getByLabel('Message PAI').waitFor()
    // Where the browser keeps nothing for its pages, the session is still found.
    await other.page.evaluate('localStorage.clear()')
    await other.page.reload()
    await other.page.getByLabel('Message PAI').waitFor()
    expect(other.troubles).toEqual([])
  })
})
