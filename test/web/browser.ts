import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { beforeAll, expect, onTestFinished } from 'vitest'
import { findChromium } from '../support/chromium.ts'

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]
export const PHONE = { width: 390, height: 844 }
const DESKTOP = { width: 1280, height: 800 }
/** Long enough for a busy machine: a condition that comes is not waited for any longer than it takes. */
const PATIENCE_MS = 30_000

/** False where there is no browser: `global-setup.ts` has said so, or refused to run. */
export const hasBrowser = findChromium() !== null

export const PASSWORD = 'bees in Tromsø'

/** One browser for all tests of a file, each of which has a visitor of its own. */
export function useBrowser(): () => Browser {
  let browser: Browser | undefined
  beforeAll(async () => {
    const executablePath = findChromium()
    if (executablePath) browser = await chromium.launch({ executablePath, args: ARGS })
    return () => browser?.close()
  })
  return () => {
    if (!browser) throw new Error('The browser starts before the first test: ask for it inside a test')
    return browser
  }
}

export interface Visitor {
  page: Page
  /** What no visit may cause: errors in the console, violated policies, dialogs, requests to anywhere else. */
  troubles: string[]
}

/** Somebody who comes to this PAI with a browser that has never been there. */
export async function visit(
  browser: Browser,
  url: string,
  { isPhone = false }: { isPhone?: boolean } = {}
): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: isPhone ? PHONE : DESKTOP,
    hasTouch: isPhone,
    locale: 'en-GB',
    colorScheme: 'light',
    reducedMotion: 'reduce'
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const troubles: string[] = []
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== url && protocol !== 'data:' && protocol !== 'blob:')
      troubles.push(`request to ${request.url()}`)
  })
  // Chromium reports what the Content-Security-Policy refused as an error of the console.
  context.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`console: ${message.text()}`)
  })
  context.on('weberror', (error) => troubles.push(`uncaught: ${error.error()}`))
  context.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  const page = await context.newPage()
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail')
      console.error(page.url(), troubles, await page.ariaSnapshot().catch(String))
    await context.close()
  })
  await page.goto(url)
  return { page, troubles }
}

export async function signUp(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Email').fill(`${name.toLowerCase()}@example.org`)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByLabel('Message PAI').waitFor()
}

export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Email').fill(`${name.toLowerCase()}@example.org`)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

export async function send(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message PAI').fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

export const sentBy = (page: Page, author: 'You' | 'PAI'): Locator =>
  page.getByRole('article', { name: author })

/** The latest reply, once it is no longer being written. */
export async function finishedReply(page: Page, having: string | RegExp): Promise<Locator> {
  const reply = sentBy(page, 'PAI').last()
  await reply.filter({ hasText: having }).waitFor()
  await expect.poll(() => reply.getAttribute('aria-busy'), { timeout: PATIENCE_MS }).toBe('false')
  return reply
}

/** A memory is made by a job after the turn, so the list may have to be asked again. */
export async function waitForMemory(page: Page, text: string): Promise<void> {
  await page.getByRole('link', { name: 'Memories' }).click()
  const list = page.getByRole('main')
  async function isListed(): Promise<boolean> {
    await page.reload()
    await list.getByRole('listitem').or(list.getByText('Nothing to remember yet')).first().waitFor()
    return (await list.getByText(text).count()) > 0
  }
  await expect.poll(isListed, { timeout: PATIENCE_MS }).toBe(true)
}
