/** What a line stands for decides its colour. */
export type PlotTone = 'good' | 'bad' | 'first' | 'second' | 'third'

type Colour = {
  light: string
  dark: string /** The same in the words of the styles, which are read from here. */
  dot: string
}

const BLUE = { light: '#1d5bd6', dark: '#3e8bff', dot: 'bg-[light-dark(#1d5bd6,#3e8bff)]' }

/** Colours of plots: a canvas takes none from the styles. */
export const PLOT_COLOURS = {
  good: BLUE,
  bad: { light: '#d92d20', dark: '#e5484d', dot: 'bg-[light-dark(#d92d20,#e5484d)]' },
  first: BLUE,
  second: { light: '#8a5a00', dark: '#f0a53a', dot: 'bg-[light-dark(#8a5a00,#f0a53a)]' },
  third: { light: '#b42318', dark: '#ff7a70', dot: 'bg-[light-dark(#b42318,#ff7a70)]' },
} as const satisfies Record<PlotTone, Colour>
