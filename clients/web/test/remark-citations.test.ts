import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import ReactMarkdown from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { expect, test } from 'vitest'
import { remarkCitations } from '../src/chat/remark-citations.ts'

test.each([
  ['in a sentence', 'In Tromsø [1], I think.', '<p>In Tromsø <1>, I think.</p>'],
  ['side by side', '[1][2] [3]', '<p><1><2> <3></p>'],
  ['alone', '[12]', '<p><12></p>'],
  [
    'in bold, in an item, in a heading',
    '- **so [1]**\n\n# And [2]',
    /<strong>so <1><\/strong>.*<h1>And <2><\/h1>/s
  ],
  ['in a table', '| a [1] |\n| - |\n| [2] |', /<th>a <1><\/th>.*<td><2><\/td>/s],
  ['in a quotation', '> so [1]', /<p>so <1><\/p>/]
])('a number in brackets is a source: %s', (_, text, expected) => {
  const html = render(text)
  if (typeof expected === 'string') expect(html).toBe(expected)
  else expect(html).toMatch(expected)
})

test.each([
  ['code', '`a[1]`'],
  ['a block of code', '```\na[1]\n```'],
  ['the words of a link', '[see [1]](https://example.org)'],
  ['a link of that name', '[1](https://example.org)'],
  ['a reference', '[1]\n\n[1]: https://example.org'],
  ['more than a number', '[1a] [a1] [ 1 ] [1, 2] []'],
  ['a number that no reply reaches', '[1234]']
])('it is left alone in %s', (_, text) => {
  expect(render(text)).not.toMatch(/<\d+>/)
  expect(render(text)).toContain('1')
})

/** Sources as `<1>`, so that they can be read. */
function render(text: string): string {
  const remarkPlugins = [remarkGfm, remarkCitations]
  return renderToStaticMarkup(createElement(ReactMarkdown, { remarkPlugins }, text)).replaceAll(
    /<cite data-index="(\d+)">\[\1\]<\/cite>/g,
    '<$1>'
  )
}
