import type { Page } from 'playwright-core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startPai } from '../faults/pai-process.ts'
import { createDataFolder } from '../support/database.ts'
import { startScriptedOpenAi } from '../support/scripted-openai.ts'
import { finishedReply, hasBrowser, PHONE, send, sentBy, signUp, useBrowser, visit } from './browser.ts'

async function picture(page: Page, name: string): Promise<void> {
  if (!process.env.PAI_PICTURES) return
  for (const look of ['light', 'dark']) {
    await page.evaluate(`document.documentElement.dataset.theme = ${JSON.stringify(look)}`)
    await page.screenshot({ path: `${process.env.PAI_PICTURES}/${name}-${look}.png` })
  }
}

describe.skipIf(!hasBrowser)('the model of a conversation, in a browser', () => {
  const browser = useBrowser()

  test('is chosen before the first message or later, and missed when it has gone', {
    timeout: 180_000
  }, async () => {
    const model = await startScriptedOpenAi({
      reply: ({ body }) => (body.stream ? `${body.model} says hello` : '{}')
    })
    onTestFinished(() => model.close())
    // The deployment's own is elsewhere, and is not to be asked.
    const providers = { home: { baseUrl: model.baseUrl }, away: { baseUrl: 'https://models.invalid/v1' } }
    const settings = {
      PAI_DATA_DIR: createDataFolder().path,
      PAI_PROVIDERS: JSON.stringify(providers),
      PAI_CHAT_MODEL: 'away:large'
    }
    const pai = await startPai({ ...settings, PAI_MODELS: 'home:small,home:llava' }, onTestFinished)
    const { page, troubles } = await visit(browser(), pai.url)
    await signUp(page, 'Ingrid')
    const choose = async (from: string, to: string) => {
      await page.getByRole('button', { name: `Model: ${from}` }).click()
      await page.getByRole('menuitemradio', { name: to }).waitFor()
      if (from === 'large') await picture(page, 'models')
      await page.getByRole('menuitemradio', { name: to }).click()
    }

    await choose('large', 'llava')
    await send(page, 'Hello')
    await finishedReply(page, 'llava says hello')
    await page.waitForURL('**/c/*')
    await page.reload()
    await page.getByRole('button', { name: 'Model: llava' }).waitFor()
    await choose('llava', 'small')
    await send(page, 'And you?')
    await finishedReply(page, 'small says hello')
    await choose('small', 'llava')
    await page.getByRole('button', { name: 'Model: llava' }).waitFor()
    await page.getByRole('link', { name: 'New chat' }).click()
    await page.getByRole('button', { name: 'Model: large' }).waitFor()
    expect(troubles).toEqual([])
    await page.goBack()
    await finishedReply(page, 'small says hello')
    await page.goForward()

    const path = await page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('link')
      .first()
      .getAttribute('href')
    await pai.stop()
    const without = await startPai({ ...settings, PAI_MODELS: 'home:small' }, onTestFinished)
    await page.goto(`${without.url}${path}`)
    await page.getByRole('button', { name: 'Model: llava, no longer here' }).waitFor()
    await send(page, 'Are you there?')
    const alert = page.getByRole('alert')
    await alert
      .getByText(/^The model home:llava is here no more.*There are: away:large, home:small\.$/)
      .waitFor()
    await alert.getByRole('button', { name: 'Use the default model here' }).waitFor()
    await picture(page, 'model-gone')
    await page.setViewportSize(PHONE)
    await picture(page, 'model-gone-phone')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width)
    await choose('llava', 'small')
    await alert.getByRole('button', { name: 'Send again' }).click()
    await expect.poll(() => sentBy(page, 'PAI').count()).toBe(3)
    await finishedReply(page, 'small says hello')
    expect(await sentBy(page, 'You').count()).toBe(3)
  })
})
