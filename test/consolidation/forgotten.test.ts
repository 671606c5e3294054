import { expect, test } from 'vitest'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { tidyOwner } from './tidy.ts'

describeEachDatabase('what was tidied and is then forgotten', (database) => {
  test('is purged with a proof that finds nothing, whatever consolidation made of it', async ({
    onTestFinished
  }) => {
    const house = await buildTestApp(database())
    onTestFinished(() => house.close())
    const ada = await tidyOwner(database(), house)
    const kept = await ada.remember('I am a zymurgist')
    await ada.remember("I'm a zymurgist.")
    await ada.remember('Each zymurgist of Oslo knows me, Ada')
    await ada.remember('I teach zymurgist lore')
    const other = await ada.remember('I live in Oslo')
    const { id, report } = await ada.tidy()
    expect(report.steps.map(({ action }) => action)).toEqual(['merged', 'inferred', 'clustered', 'profiled'])
    const { status } = await ada.call('DELETE', `/memories/${kept}?purge=true`)
    expect(status).toBe(204)
    const { items: purges } = (await ada.call('GET', '/memory-purges')).data
    expect(purges).toContainEqual(expect.objectContaining({ id: kept }))
    for (const { checked } of purges) {
      for (const place of Object.values(checked as Record<string, { found: number }>)) {
        expect(place.found).toBe(0)
      }
    }
    expect((await ada.call('GET', '/profile')).data.text).not.toContain('I am a zymurgist')
    expect((await ada.memory(other)).status).toBe('active')
    // What is left of the run can be undone still.
    expect((await ada.call('POST', `/consolidations/${id}/undo`)).data.status).toBe('undone')
  })
})
