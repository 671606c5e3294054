import { describe, expect, test } from 'vitest'
import { finishedReply, hasBrowser, send, useBrowser } from './browser.ts'
import { talkTo } from './talk-to.ts'

const REPLY = {
  deltas: ['Hello Ingrid'],
  usage: { prompt_tokens: 1_000, completion_tokens: 100, prompt_tokens_details: { cached_tokens: 0 } }
}
/** A reply costs two dollars and ten cents, and what comes of it nothing worth speaking of. */
const PRICES = '{"openai:gpt-5-mini": {"input": 2000, "cachedInput": 200, "output": 1000}}'

describe.skipIf(!hasBrowser)('what it costs, in a browser', () => {
  const browser = useBrowser()

  test('the settings show this month by model and purpose, and a limit that holds', {
    timeout: 120_000
  }, async () => {
    const settings = { PAI_PRICES: PRICES, PAI_MONTHLY_BUDGET: '20' }
    const { page, troubles } = await talkTo(browser(), () => REPLY, [], settings)
    await send(page, 'Hello')
    await finishedReply(page, 'Hello Ingrid')
    await page.getByRole('link', { name: 'Settings' }).click()
    const costs = page.getByRole('region', { name: 'What it costs' })
    await costs.getByText('of US$20.00 this month').waitFor()
    const replies = costs.getByRole('table', { name: 'By purpose' }).getByRole('row', { name: 'Replies' })
    expect(await replies.textContent()).toBe('Replies11.1kUS$2.10')
    await costs.getByRole('table', { name: 'By model' }).getByText('openai:gpt-5-mini').waitFor()

    // Only what is in the frame scrolls, never the frame.
    await page.evaluate('scrollTo(0, 10000)')
    expect(await page.evaluate('document.scrollingElement.scrollTop')).toBe(0)
    await costs.getByLabel('Monthly limit').fill('1.50')
    await costs.getByRole('button', { name: 'Save limit' }).click()
    await costs.getByText('The budget is spent').waitFor()
    if (process.env.PAI_PICTURES) {
      await costs.scrollIntoViewIfNeeded()
      for (const [name, width, colorScheme] of [
        ['desktop-light', 1280, 'light'],
        ['desktop-dark', 1280, 'dark'],
        ['phone-light', 390, 'light'],
        ['phone-dark', 390, 'dark']
      ] as const) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme })
        await costs.scrollIntoViewIfNeeded()
        await page.screenshot({ path: `${process.env.PAI_PICTURES}/${name}.png` })
      }
      await page.setViewportSize({ width: 1280, height: 800 })
    }

    await page.getByRole('link', { name: 'New chat' }).click()
    await send(page, 'Still there?')
    await page.getByRole('alert').getByText('budget for models is spent').waitFor()
    expect(troubles).toEqual([])
  })
})
