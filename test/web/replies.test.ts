import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { finishedReply, hasBrowser, send, sentBy, useBrowser } from './browser.ts'
import { talkTo } from './talk-to.ts'

/** So many lines of the lists of injections are shown, where there are any. */
const PAYLOADS = 200

describe.skipIf(!hasBrowser)('replies of a model, in a browser', () => {
  const browser = useBrowser()

  test('a reply is read while it is written, and stopping it keeps the words', {
    timeout: 120_000
  }, async () => {
    const gate = Promise.withResolvers<string>()
    const { page, troubles } = await talkTo(browser(), (said) =>
      said === 'Go on'
        ? { deltas: ['The first words', gate.promise] }
        : { deltas: ['The only words'], ending: 'hang' }
    )

    await send(page, 'Go on')
    const reply = sentBy(page, 'PAI').last()
    await reply.getByText('The first words').waitFor()
    expect(await reply.getAttribute('aria-busy')).toBe('true')
    gate.resolve(', and the last.')
    await finishedReply(page, 'The first words, and the last.')

    await send(page, 'Talk without end')
    await reply.getByText('The only words').waitFor()
    expect(await reply.getAttribute('aria-busy')).toBe('true')
    await page.getByRole('button', { name: 'Stop' }).click()
    await finishedReply(page, 'The only words')
    await reply.getByText('You stopped this reply.').waitFor()
    await page.getByRole('button', { name: 'Send' }).waitFor()

    // A turn that still ran would be followed again.
    await page.reload()
    await finishedReply(page, 'The only words')
    await reply.getByText('You stopped this reply.').waitFor()
    await reply.getByRole('button', { name: 'Continue' }).waitFor()
    expect(await sentBy(page, 'PAI').first().textContent()).toContain('The first words, and the last.')
    expect(troubles).toEqual([])
  })

  test('a message that got no reply, or half of one, says why, after a reload and in the middle too', {
    timeout: 120_000
  }, async () => {
    const refused = { status: 400, body: { error: { message: 'No', type: 'invalid_request_error' } } }
    let isAway = true
    const { page } = await talkTo(browser(), (said) => {
      // Asked once more after a message that got no reply, a server is sent both as one.
      if (said.endsWith('Half')) return { deltas: ['The first half'], ending: 'cut' }
      return isAway ? refused : 'Here again'
    })
    const reason = /The model openai:gpt-5-mini refused/
    await send(page, 'First')
    await page.getByRole('alert').getByText(reason).waitFor()
    await page.reload()
    await page.getByRole('status').getByText(reason).waitFor()
    await send(page, 'Half')
    await sentBy(page, 'PAI').last().getByText('This reply broke off').waitFor()
    await page.getByText(/No reply came: The model/).waitFor()
    await page.reload()
    await sentBy(page, 'PAI').last().getByRole('button', { name: 'Continue' }).waitFor()
    if (process.env.PAI_PICTURES) await page.screenshot({ path: `${process.env.PAI_PICTURES}/broke-off.png` })
    isAway = false
    await page.getByRole('button', { name: 'Ask again' }).click()
    await finishedReply(page, 'Here again')
  })

  test('neither an image nor a script in what is said does anything', { timeout: 120_000 }, async () => {
    const stranger = await startStranger()
    const hostile = [
      `![picture](${stranger.url}/image.png) ![][later]`,
      `[later]: ${stranger.url}/later.png`,
      `<img src="${stranger.url}/html.png" onerror="alert(1)"><script>alert(2)</script><svg onload=alert(3)>`,
      `<iframe src="${stranger.url}/frame"></iframe><link rel="prefetch" href="${stranger.url}/prefetch">`,
      '[press me](javascript:alert(4)) <javascript:alert(5)> [and me](data:text/html,<script>alert(6)</script>)',
      `[a link](${stranger.url}/link) **The end**`
    ].join('\n\n')
    const replies = [hostile, ...payloads()]
    const { page, troubles } = await talkTo(browser(), (said) => {
      const index = Number(/\d+/.exec(said))
      return `${replies[index]}\n\n**The end of ${index}**`
    })

    for (const index of replies.keys()) {
      await page.getByRole('link', { name: 'New chat' }).click()
      // What is said is the title as well.
      await send(page, `<img src=x onerror=alert(${index})>`)
      const reply = await finishedReply(page, `The end of ${index}`)
      expect(await reply.locator('img, script, iframe, link, style, form, object, embed').count()).toBe(0)
      const addresses = await reply
        .getByRole('link')
        .evaluateAll((links) => links.map((link) => link.getAttribute('href')))
      for (const address of addresses) expect(address).toMatch(/^(https?|mailto):/)
      if (index === 0) expect(addresses).toContain(`${stranger.url}/link`)
    }

    await page.reload()
    await finishedReply(page, 'The end')
    await page.getByRole('link', { name: 'Memories' }).click()
    await page.getByRole('button', { name: 'Add' }).first().click()
    await page.getByRole('dialog').getByRole('textbox').fill(hostile)
    await page.getByRole('button', { name: 'Remember it' }).click()
    await page.getByRole('main').getByText('press me').waitFor()
    expect(stranger.asked).toEqual([])
    expect(troubles).toEqual([])
  })
})

/** A server that must never hear from the page. */
async function startStranger(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** A sample of the lists of injections: half of them each a paragraph, the others together one block. */
function payloads(): string[] {
  const corpora = process.env.PAI_CORPORA
  if (!corpora) return []
  const folder = join(corpora, 'xss')
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split(/\r?\n/))
  const step = lines.length / PAYLOADS
  const sample = Array.from({ length: PAYLOADS }, (_, index) => lines[Math.floor(index * step)] ?? '')
  const paragraphs = sample.filter((_, index) => index % 2 === 0)
  const block = sample.filter((_, index) => index % 2 === 1)
  return [`${paragraphs.join('\n\n')}\n\n${block.join('\n')}`]
}
