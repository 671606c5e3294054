import { describe, expect, onTestFinished, test } from 'vitest'
import { startPai } from '../faults/pai-process.ts'
import { createDataFolder } from '../support/database.ts'
import {
  finishedReply,
  hasBrowser,
  send,
  sentBy,
  signIn,
  signUp,
  useBrowser,
  visit,
  waitForMemory
} from './browser.ts'

const PHONE = { width: 390, height: 844 }
const SAID = 'my sister Ada keeps bees in Tromsø'
const SAID_AS_FACT = 'My sister Ada keeps bees in Tromsø'

describe.skipIf(!hasBrowser)('the web app, in a browser', () => {
  const browser = useBrowser()

  test('remembers in a new chat what it was told in another, and shows where from', {
    timeout: 120_000
  }, async () => {
    // A folder nobody has used, as `npm start` finds it.
    const folder = createDataFolder({ migrated: false }).path
    const pai = await startPai({ PAI_DATA_DIR: folder, PAI_CHAT_MODEL: 'offline' }, onTestFinished)
    const { page, troubles } = await visit(browser(), pai.url)

    // Nobody has an account in this browser: signing up comes first.
    await signUp(page, 'Ingrid')
    await page.getByRole('heading', { name: /^Good \w+, Ingrid$/ }).waitFor()
    const badge = page.locator('header').getByText('offline', { exact: true })
    await badge.waitFor()

    await send(page, SAID)
    await finishedReply(page, 'Noted')
    expect(new URL(page.url()).pathname).toMatch(/^\/c\/[0-9a-f-]{36}$/)

    await page.reload()
    await sentBy(page, 'You').getByText(SAID, { exact: true }).waitFor()
    await finishedReply(page, 'Noted')

    await page.getByRole('link', { name: 'New chat' }).click()
    await send(page, 'Where does my sister keep her bees?')
    const answer = await finishedReply(page, SAID)
    expect(await answer.getByText('offline', { exact: true }).count()).toBe(1)
    await answer.getByRole('button', { name: 'Source 1' }).click()
    const source = page.getByRole('dialog', { name: 'Source 1' })
    expect(await source.getByRole('blockquote').textContent()).toMatch(
      /^my sister Ada keeps bees in Tromsø$/i
    )
    expect(await source.textContent()).toMatch(/^From (your memories|what was said)/)
    await page.keyboard.press('Escape')
    await source.waitFor({ state: 'hidden' })
    const conversations = page.getByRole('navigation', { name: 'Conversations' })
    await expect.poll(() => conversations.getByRole('link').count()).toBe(2)

    await waitForMemory(page, SAID_AS_FACT)

    await page.getByRole('link', { name: /^Settings/ }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await page.goto(`${pai.url}/memories`)
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await signIn(page, 'Ingrid')
    // To where they were headed.
    await page.waitForURL('**/memories')
    await page.getByRole('main').getByText(SAID_AS_FACT).waitFor()

    await page.setViewportSize(PHONE)
    await page.getByRole('button', { name: 'Open menu' }).click()
    const menu = page.getByRole('dialog', { name: 'Menu' })
    await menu.getByRole('link', { name: SAID }).click()
    await menu.waitFor({ state: 'hidden' })
    await sentBy(page, 'You').getByText(SAID, { exact: true }).waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width)

    expect(troubles).toEqual([])
  })
})
