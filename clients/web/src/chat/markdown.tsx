import { type ComponentProps, memo, type ReactNode, useRef } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import rehypeHighlight from 'rehype-highlight'
import remarkGfm from 'remark-gfm'
import { CopyButton } from '../ui/copy-button.tsx'
import { CitationMark } from './citations.tsx'
import { remarkCitations } from './remark-citations.ts'
import { splitMarkdown } from './split-markdown.ts'

const SAFE_PROTOCOLS = new Set(['http:', 'https:', 'mailto:'])

/** The address if a link may lead there, else nothing: a reply can quote anything, `javascript:` addresses too. */
function safeUrl(url: string): string {
  return URL.canParse(url) && SAFE_PROTOCOLS.has(new URL(url).protocol) ? url : ''
}

function SafeLink({ href, children }: { href: string | undefined; children: ReactNode }) {
  if (!href) return <span>{children}</span>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  )
}

const components: Components = {
  a: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
  // Fetching an image would tell its server that, when and where this was read.
  img: ({ src, alt }) => {
    const address = typeof src === 'string' ? src : ''
    return <SafeLink href={address}>{[alt, address].filter(Boolean).join(': ')}</SafeLink>
  },
  pre: CodeBlock,
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table must be scrollable with the keyboard
    <section aria-label="Table" tabIndex={0} className="my-5 overflow-x-auto">
      <table>{children}</table>
    </section>
  ),
  cite: ({ children, ...rest }) => (
    <CitationMark index={Number((rest as Record<string, unknown>)['data-index'])}>{children}</CitationMark>
  )
}

function CodeBlock({ children }: ComponentProps<'pre'>) {
  const code = useRef<HTMLPreElement>(null)
  const className = (children as { props?: { className?: string } } | undefined)?.props?.className ?? ''
  const language = /language-([\w+#-]+)/.exec(className)?.[1] ?? 'text'
  return (
    <div className="not-prose my-5 overflow-hidden rounded-xl border border-line bg-sunken">
      <div className="flex items-center justify-between border-b border-line py-0.5 pr-1 pl-4 text-xs text-muted">
        {language}
        <CopyButton label="Copy code" text={() => code.current?.textContent ?? ''} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines must be scrollable with the keyboard */}
      <pre ref={code} tabIndex={0} className="overflow-x-auto p-4 font-mono text-[0.8125rem] leading-relaxed">
        {children}
      </pre>
    </div>
  )
}

const REMARK = [remarkGfm, remarkCitations]
const REHYPE = [rehypeHighlight]

/** A reply as GitHub-flavoured Markdown. Raw HTML in it is shown as the text it is. */
export function Markdown({ text }: { text: string }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: parts are only ever added at the end
  return splitMarkdown(text).map((part, index) => <Part key={index} text={part} />)
}

const Part = memo(function Part({ text }: { text: string }) {
  return (
    <ReactMarkdown
      remarkPlugins={REMARK}
      rehypePlugins={REHYPE}
      components={components}
      urlTransform={safeUrl}
    >
      {text}
    </ReactMarkdown>
  )
})
