import fc from 'fast-check'

/** The same cases in every run; `PAI_TEST_SEED` gives others, such as the clock's, to look for what these miss. */
fc.configureGlobal({ seed: Number(process.env.PAI_TEST_SEED ?? 20261123) })

export default fc
