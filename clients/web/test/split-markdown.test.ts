import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import ReactMarkdown from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { describe, expect, test } from 'vitest'
import { splitMarkdown } from '../src/chat/split-markdown.ts'
import fc from './properties.ts'

const FENCED = '```js\nconst a = 1\n\nconst b = 2\n```'

describe('a reply is cut', () => {
  test.each([
    ['between paragraphs', 'One\n\nTwo\n\n\nThree', ['One\n', 'Two\n\n', 'Three']],
    ['at headings', '# One\n\ntext\n\n## Two', ['# One\n', 'text\n', '## Two']],
    ['behind code', `${FENCED}\n\nafter`, [`${FENCED}\n`, 'after']]
  ])('%s', (_, text, parts) => {
    expect(splitMarkdown(text)).toEqual(parts)
  })

  test('nowhere else: not inside code, a list or a paragraph, nor where a definition may be used', () => {
    for (const whole of [
      '',
      'One\ntwo',
      FENCED,
      '~~~\na\n\nb\n```\n\nc\n~~~',
      '```\n```js\n\nstill code\n```',
      '````\n```\n\nstill code\n````',
      '- one\n\n- two\n\n  more of two',
      '1. one\n\n2. two',
      'One[^1]\n\nTwo\n\n[^1]: a note',
      'A [link][a]\n\nTwo\n\n[a]: https://example.org'
    ]) {
      expect(splitMarkdown(whole)).toEqual([whole])
    }
  })

  test('so that only its end changes while it grows', () => {
    const text = `Intro\n\n- a\n- b\n\nThen\n\n${FENCED}\n\nThe end`
    let before: string[] = []
    for (let length = 1; length <= text.length; length++) {
      const parts = splitMarkdown(text.slice(0, length))
      // The beginning of a line does not tell yet whether it is an item of the list before it.
      expect(parts.slice(0, Math.max(0, before.length - 2))).toEqual(before.slice(0, -2))
      before = parts
    }
    expect(before).toHaveLength(4)
  })
})

describe('the parts', () => {
  const BLOCKS = [
    'A paragraph with **bold** and `code`',
    'Two lines\nof one paragraph',
    '# Heading',
    'Setext\n======',
    '- one\n- two',
    '* one\n\n* two',
    '1. one\n2. two',
    '3) three',
    '- outer\n  - inner\n\n  still outer',
    '- in a list\n\n  ```js\n  a()\n\n  b()\n  ```',
    '- ```\n  a\n\n  b\n  ```',
    '1. ```sh\n   a\n   ```',
    '    indented code',
    FENCED,
    '```\nplain\n\n# not a heading\n```',
    '~~~python\n```\n\nx\n~~~',
    '```inline``` code',
    '> quoted\n> more',
    '> ```\n> a\n> ```',
    '| a | b |\n| - | - |\n| 1 | 2 |',
    '---',
    '***',
    '+',
    '-',
    'A line with a [1] mark'
  ]

  test('mean alone what they mean in the whole', () => {
    const gaps = fc.constantFrom('\n\n', '\n\n\n', '\n')
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...BLOCKS), gaps), { maxLength: 6 }), (blocks) => {
        const text = blocks.flat().join('')
        expect(splitMarkdown(text).map(render).filter(Boolean).join('\n')).toBe(render(text))
      }),
      { numRuns: 300 }
    )
  })

  test('are the whole, whatever it is', () => {
    const lines = fc.array(
      fc.oneof(fc.constantFrom('', '```', '~~~', '- a', '  b', '# c', '[x]: y'), fc.string())
    )
    fc.assert(
      fc.property(lines, (all) => {
        expect(splitMarkdown(all.join('\n')).join('\n')).toBe(all.join('\n'))
      })
    )
  })
})

function render(text: string): string {
  return renderToStaticMarkup(createElement(ReactMarkdown, { remarkPlugins: [remarkGfm] }, text)).trim()
}
