/** How something stands: a colour, and never the colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'neutral' | 'accent'
