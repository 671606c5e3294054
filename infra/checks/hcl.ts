// Reads enough of HCL to know blocks, their arguments and where they stand. What an expression means is Terraform's to say.

export interface Argument {
  name: string
  /** The expression, as it is written. */
  text: string
  start: number
  end: number
}

export interface Block {
  type: string
  labels: string[]
  arguments: Argument[]
  blocks: Block[]
  start: number
  end: number
}

type Body = Pick<Block, 'arguments' | 'blocks'>

class HclInvalid extends Error {
  override name = 'HclInvalid'
}

export function parseHcl(text: string): Body {
  const [body, end] = parseBody(text, 0)
  if (end < text.length) throw new HclInvalid(`Unexpected "${text[end]}" at ${end}`)
  return body
}

/** The blocks of a type within a body; a dynamic block counts as what it makes. */
export function blocksNamed(body: Body, type: string): Block[] {
  return body.blocks.flatMap((block) => {
    if (block.type === type) return [block]
    if (block.type !== 'dynamic' || block.labels[0] !== type) return []
    return block.blocks.filter((inner) => inner.type === 'content')
  })
}

/** The block or dynamic block itself, as it stands in the file. */
export function standingBlocks(body: Body, type: string): Block[] {
  return body.blocks.filter(
    (block) => block.type === type || (block.type === 'dynamic' && block.labels[0] === type)
  )
}

function parseBody(text: string, from: number): [Body, number] {
  const body: Body = { arguments: [], blocks: [] }
  let at = skipSpace(text, from)
  while (at < text.length && text[at] !== '}') {
    const start = at
    const name = /^[\p{L}_][\p{L}\p{N}_-]*/u.exec(text.slice(at, at + 200))?.[0]
    if (!name) throw new HclInvalid(`Expected a name at ${at}: ${text.slice(at, at + 20)}`)
    at = skipBlanks(text, at + name.length)
    if (text[at] === '=' && text[at + 1] !== '=') {
      const valueStart = skipBlanks(text, at + 1)
      at = skipExpression(text, valueStart)
      body.arguments.push({ name, text: text.slice(valueStart, at).trim(), start, end: at })
    } else {
      const labels: string[] = []
      while (at < text.length && text[at] !== '{') {
        const end =
          text[at] === '"' ? skipString(text, at) : at + (/^[\w-]+/.exec(text.slice(at))?.[0].length ?? 0)
        if (end === at) throw new HclInvalid(`Expected a block at ${at}: ${text.slice(start, at + 10)}`)
        labels.push(text.slice(at, end).replace(/^"|"$/g, ''))
        at = skipBlanks(text, end)
      }
      const [inner, end] = parseBody(text, at + 1)
      if (text[end] !== '}') throw new HclInvalid(`The block ${name} at ${start} has no end`)
      at = end + 1
      body.blocks.push({ type: name, labels, ...inner, start, end: at })
    }
    at = skipSpace(text, at)
  }
  return [body, at]
}

/** To the end of the line, unless a bracket, a string or a heredoc is open. */
function skipExpression(text: string, from: number): number {
  let depth = 0
  let at = from
  while (at < text.length) {
    const char = text[at] as string
    if (char === '\n' && depth === 0) return at
    if (char === '"') at = skipString(text, at)
    else if (char === '#' || text.startsWith('//', at)) at = endOfLine(text, at)
    else if (text.startsWith('/*', at)) at = text.indexOf('*/', at) + 2
    else if (text.startsWith('<<', at)) at = skipHeredoc(text, at)
    else {
      if ('([{'.includes(char)) depth++
      if (')]}'.includes(char) && --depth < 0) return at
      at++
    }
  }
  return at
}

function skipString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\') at += 2
    else if ((text[at] === '$' || text[at] === '%') && text[at + 1] === text[at] && text[at + 2] === '{')
      at += 3
    else if ((text[at] === '$' || text[at] === '%') && text[at + 1] === '{') at = skipTemplate(text, at + 2)
    else at++
  }
  return at + 1
}

function skipTemplate(text: string, from: number): number {
  let depth = 1
  let at = from
  while (at < text.length && depth > 0) {
    if (text[at] === '"') at = skipString(text, at)
    else {
      if (text[at] === '{') depth++
      if (text[at] === '}') depth--
      at++
    }
  }
  return at
}

function skipHeredoc(text: string, from: number): number {
  const marker = /^<<-?(\w+)\n/.exec(text.slice(from, from + 100))?.[1]
  if (!marker) return from + 2
  const end = new RegExp(`\\n[ \\t]*${marker}[ \\t]*(?=\\n|$)`).exec(text.slice(from))
  if (!end) throw new HclInvalid(`The heredoc ${marker} has no end`)
  return from + end.index + end[0].length
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) at++
    else if (text[at] === '#' || text.startsWith('//', at)) at = endOfLine(text, at)
    else if (text.startsWith('/*', at)) at = text.indexOf('*/', at) + 2
    else return at
  }
  return at
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}
