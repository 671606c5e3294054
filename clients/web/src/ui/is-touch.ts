/** Whether fingers point here: a keyboard then covers half of the screen, and has no Shift to hold. */
export const isTouch = () => matchMedia('(pointer: coarse)').matches
