import { describe, expect, test } from 'vitest'
import { finishedReply, hasBrowser, send, useBrowser, waitForMemory } from './browser.ts'
import { type Fact, talkTo } from './talk-to.ts'

const BEES = 'My sister Ada keeps bees in Tromsø'
const WALNUTS = 'Ada is allergic to walnuts'
const TRAIN = 'I prefer the night train to flying'
const FACTS = [fact('relationship', BEES), fact('health', WALNUTS), fact('preference', TRAIN)]

const EARLIER: Record<string, string> = {
  'Plan a week of vegetarian dinners for two': 'Monday: lentil soup with lemon. Tuesday: mushroom risotto.',
  'How much water does a sourdough need?': 'Seventy percent of the weight of the flour is a good start.',
  'Draft a short toast for Jonas’s wedding': 'To Jonas, who never lets a good story end too soon.',
  [`${BEES}. ${WALNUTS}.`]: 'Noted: bees in Tromsø, and no walnuts.',
  [TRAIN]: 'I will plan by train from now on.'
}

const BRING = 'I visit my sister Ada in May. What should I bring her?'
const TRAVEL = 'And which train do I take to get there?'

describe.skipIf(!hasBrowser)('sources, in a browser', () => {
  const browser = useBrowser()

  test('what a reply rests on is a number in it, with the words behind it', {
    timeout: 120_000
  }, async () => {
    const { page, troubles } = await talkTo(
      browser(),
      (said, prompt) => {
        if (said === BRING) return advise(prompt)
        return said === TRAVEL ? planTravel(prompt) : (EARLIER[said] ?? '')
      },
      FACTS
    )
    for (const [said, reply] of Object.entries(EARLIER)) {
      await page.getByRole('link', { name: 'New chat' }).click()
      await send(page, said)
      await finishedReply(page, reply)
    }
    for (const { text } of FACTS) await waitForMemory(page, text)

    await page.getByRole('link', { name: 'New chat' }).click()
    await send(page, BRING)
    const advice = await finishedReply(page, 'May is when')
    await advice.getByText(/\d memories used/).waitFor()
    expect(await advice.getByRole('button', { name: /^Source \d$/ }).count()).toBe(2)
    await send(page, TRAVEL)
    const travel = await finishedReply(page, 'Narvik')
    await travel.getByText(/\d memor(y|ies) used/).waitFor()

    const chip = travel.getByRole('button', { name: /^Source \d$/ })
    // As it is read out: "Source 1", for the 1 that is seen.
    const name = (await chip.getAttribute('aria-label')) ?? ''
    expect(name).toBe(`Source ${await chip.textContent()}`)
    await chip.click()
    const source = page.getByRole('dialog', { name })
    expect(await source.getByRole('blockquote').textContent()).toBe(TRAIN)
    expect(await source.textContent()).toMatch(/^From your memories/)
    // README's picture, for whoever asks for it.
    if (process.env.PAI_PICTURE) await page.screenshot({ path: process.env.PAI_PICTURE })
    expect(troubles).toEqual([])
  })
})

/** As a model cites: by the number under which it was told. */
function cite(prompt: string, text: string): string | undefined {
  const line = prompt.split('\n').find((line) => line.includes('(remembered ') && line.includes(text))
  return /^\[\d+\]/.exec(line ?? '')?.[0]
}

function advise(prompt: string): string {
  return `May is when the bees of Tromsø wake up ${cite(prompt, BEES)}, so bring what is hard to find that far north:

- **Fondant for feeding.** The willows bloom late, and a colony can starve just before they do.
- **Light goatskin gloves.** They wear out every season.
- **Something sweet to share**, from a bakery without walnuts: she is allergic to them ${cite(prompt, WALNUTS)}.`
}

function planTravel(prompt: string): string {
  return `The night train from Stockholm goes as far as **Narvik**, and from there a bus takes four hours to Tromsø. The
train has beds and a dining car, which suits you better than a plane ${cite(prompt, TRAIN)}.`
}

function fact(category: string, text: string): Fact {
  return { text, category, importance: 0.7, importanceReason: 'said plainly', quote: text }
}
