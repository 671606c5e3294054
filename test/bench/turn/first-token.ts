import type { House } from '../house.ts'
import { type Figure, quantile } from '../report.ts'
import { timeDirect, timeTurn } from './ask.ts'

const PARALLEL = [1, 10, 50]
const WARM_UP = 30
const SAMPLES = 300
const AT = 'most' as const

/**
 * What PAI adds to the time until the first words: a whole turn (stored, recalled, answered) and one that only passes
 * through (stored, answered), each beside the model called directly in the same moment, by 1, 10 and 50 at once.
 */
export async function measureFirstToken(house: House): Promise<Figure[]> {
  const figures: Figure[] = []
  for (let index = 0; index < WARM_UP; index++) await sample(house)
  for (const parallel of PARALLEL) {
    const samples: Sample[] = []
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        while (samples.length < SAMPLES) samples.push(await sample(house))
      })
    )
    figures.push(...toFigures(parallel, samples))
  }
  return figures
}

interface Sample {
  direct: number
  whole: number
  passing: number
}

async function sample({ url, upstreamUrl, authorization }: House): Promise<Sample> {
  const direct = await timeDirect(upstreamUrl)
  const whole = await timeTurn(url, authorization)
  const passing = await timeTurn(url, authorization, false)
  return { direct, whole: whole.firstTokenMs, passing: passing.firstTokenMs }
}

function toFigures(parallel: number, samples: Sample[]): Figure[] {
  const added = (kind: 'whole' | 'passing', share: number) =>
    quantile(
      samples.map((one) => one[kind] - one.direct),
      share
    )
  const figure = (kind: 'whole' | 'passing', share: number, goal: number): Figure => ({
    name: `added time to first token, ${kind === 'whole' ? 'whole turn' : 'pass-through'}, ${parallel} at once, p${share * 100}`,
    value: added(kind, share),
    unit: 'ms',
    floor: quantile(
      samples.map(({ direct }) => direct),
      share
    ),
    // The goals are for one at a time: with more than there are cores, all wait for each other.
    ...(parallel === 1 && { goal: { at: AT, value: goal } })
  })
  return [
    figure('whole', 0.5, 10),
    figure('whole', 0.95, 25),
    figure('passing', 0.5, 2),
    figure('passing', 0.99, 10)
  ]
}
