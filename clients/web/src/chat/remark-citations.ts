/** The part of a Markdown tree's node that matters here. */
interface Node {
  type: string
  value?: string
  children?: Node[]
  data?: { hName: string; hProperties: Record<string, string> }
}

const MARKER = /\[(\d{1,3})\]/g

/** Turns `[1]` in running text into an element that the page shows as a chip. Code and links keep theirs. */
export function remarkCitations() {
  return (tree: Node) => walk(tree)
}

function walk(node: Node) {
  if (!node.children || node.type === 'link' || node.type === 'citation') return
  node.children = node.children.flatMap((child) => (child.type === 'text' ? split(child) : [child]))
  for (const child of node.children) walk(child)
}

function split({ value = '' }: Node): Node[] {
  const parts: Node[] = []
  let end = 0
  for (const match of value.matchAll(MARKER)) {
    const [marker, index = ''] = match
    if (match.index > end) parts.push({ type: 'text', value: value.slice(end, match.index) })
    // Whatever has an hName becomes an element when the tree is turned into HTML.
    const data = { hName: 'cite', hProperties: { dataIndex: index } }
    parts.push({ type: 'citation', data, children: [{ type: 'text', value: marker }] })
    end = match.index + marker.length
  }
  if (end < value.length) parts.push({ type: 'text', value: value.slice(end) })
  return parts
}
