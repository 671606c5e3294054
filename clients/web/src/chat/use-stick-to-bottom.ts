import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** How far from the end still counts as reading along, in pixels. */
const SLACK = 32
/** How long a wish to scroll up may take to show, in which the end is not followed again. */
const LEAVING_MS = 300

/** Keeps the end in view while the reader is at the end, and leaves them alone when they have scrolled away. */
export function useStickToBottom(slot: string) {
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const following = useRef(true)
  const [atBottom, setAtBottom] = useState(true)

  const toBottom = useCallback((behavior: ScrollBehavior = 'instant') => {
    following.current = true
    setAtBottom(true)
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight, behavior: still ? 'instant' : behavior })
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation opens at its end
  useLayoutEffect(() => toBottom(), [slot, toBottom])

  useEffect(() => {
    const pane = scroller.current
    const inner = content.current
    if (!pane || !inner) return
    let top = pane.scrollTop
    let leftAt = Number.NEGATIVE_INFINITY
    const onScroll = () => {
      const below = pane.scrollHeight - pane.clientHeight - pane.scrollTop
      const up = pane.scrollTop < top
      top = pane.scrollTop
      // At the very end "up" is only the text getting shorter.
      if (up && below > 1) following.current = false
      else if (below <= SLACK && performance.now() - leftAt > LEAVING_MS) following.current = true
      setAtBottom(following.current)
    }
    // The wheel and the finger are heard before the scrolling they cause; while words pour in, that may be too late.
    const leave = () => {
      if (pane.scrollTop === 0) return
      following.current = false
      leftAt = performance.now()
    }
    const onWheel = (event: WheelEvent) => {
      if (event.deltaY < 0) leave()
    }
    let fingerY = 0
    const onTouchStart = (event: TouchEvent) => {
      fingerY = event.touches[0]?.clientY ?? 0
    }
    const onTouchMove = (event: TouchEvent) => {
      if ((event.touches[0]?.clientY ?? 0) > fingerY) leave()
    }
    const observer = new ResizeObserver(() => {
      if (following.current) pane.scrollTop = pane.scrollHeight
    })
    const unmounted = new AbortController()
    const listening = { passive: true, signal: unmounted.signal }
    pane.addEventListener('scroll', onScroll, listening)
    pane.addEventListener('wheel', onWheel, listening)
    pane.addEventListener('touchstart', onTouchStart, listening)
    pane.addEventListener('touchmove', onTouchMove, listening)
    observer.observe(inner)
    observer.observe(pane)
    return () => {
      unmounted.abort()
      observer.disconnect()
    }
  }, [])

  return { scroller, content, atBottom, toBottom }
}
