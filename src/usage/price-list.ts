/** US dollars for a million tokens. */
export interface Price {
  input: number
  /** Input that the provider had in its cache; absent: as any other. */
  cachedInput?: number
  /** Absent where nothing comes out, as of an embedding. */
  output?: number
}

interface PriceGroup {
  source: string
  /** The day the source was read, or for `secondHand` the day it reports. */
  read: string
  /** Set where the vendor's own page could not be read, and others report what it says. */
  secondHand?: true
  /** What a Bedrock model costs more where its words stay in one geography: its id then begins with no `global.`. */
  regional?: number
  /** By the model's id without a date or the geography: input, cached input, output. */
  models: Record<string, [input: number, cachedInput: number | null, output: number | null]>
}

/**
 * What models cost on demand, without batches, long-context steps or writes to a cache. `PAI_PRICES` goes before it. The
 * prices of AWS are those of us-east-1.
 */
export const PRICE_LIST: PriceGroup[] = [
  {
    source: 'https://developers.openai.com/api/docs/models',
    read: '2026-11-23',
    models: {
      'openai:gpt-6-luna': [0.1, 0.01, 0.5],
      'openai:gpt-5.6-luna': [0.2, 0.02, 1.2],
      'openai:gpt-5-nano': [0.05, 0.005, 0.4],
      'openai:text-embedding-3-small': [0.02, null, null],
      'openai:text-embedding-3-large': [0.13, null, null]
    }
  },
  {
    source: 'https://developers.openai.com/api/docs/pricing',
    read: '2026-10-16',
    secondHand: true,
    models: {
      'openai:gpt-6-astra': [10, 1, 50],
      'openai:gpt-6-sol': [2, 0.2, 10],
      'openai:gpt-5.6-sol': [4, 0.4, 20],
      'openai:gpt-5.6-terra': [2, 0.2, 12],
      'openai:gpt-5.5': [5, 0.5, 30],
      'openai:gpt-5.4': [2.5, 0.25, 15],
      'openai:gpt-5.4-mini': [0.75, 0.075, 4.5],
      'openai:gpt-5.4-nano': [0.2, 0.02, 1.25],
      'openai:gpt-5.2': [1.75, 0.175, 14],
      'openai:gpt-5.1': [1.25, 0.125, 10],
      'openai:gpt-5': [1.25, 0.125, 10],
      'openai:gpt-5-mini': [0.25, 0.025, 2],
      'openai:gpt-4.1': [2, 0.5, 8],
      'openai:gpt-4.1-mini': [0.4, 0.1, 1.6],
      'openai:gpt-4.1-nano': [0.1, 0.025, 0.4],
      'openai:gpt-4o': [2.5, 1.25, 10],
      'openai:gpt-4o-mini': [0.15, 0.075, 0.6],
      'openai:o3': [2, 0.5, 8],
      'openai:o3-mini': [1.1, 0.55, 4.4],
      'openai:o4-mini': [1.1, 0.275, 4.4],
      'openai:text-embedding-ada-002': [0.1, null, null]
    }
  },
  {
    // Bedrock asks Anthropic's own price, and a tenth more where the words stay in one geography.
    source: 'https://platform.claude.com/docs/en/about-claude/pricing',
    read: '2026-11-23',
    regional: 1.1,
    models: {
      'bedrock:anthropic.claude-opus-5': [5, 0.5, 25],
      'bedrock:anthropic.claude-opus-4-8': [5, 0.5, 25],
      'bedrock:anthropic.claude-opus-4-7': [5, 0.5, 25],
      'bedrock:anthropic.claude-opus-4-6': [5, 0.5, 25],
      'bedrock:anthropic.claude-opus-4-5': [5, 0.5, 25],
      'bedrock:anthropic.claude-sonnet-4-6': [3, 0.3, 15],
      'bedrock:anthropic.claude-sonnet-4-5': [3, 0.3, 15],
      'bedrock:anthropic.claude-haiku-4-5': [1, 0.1, 5]
    }
  },
  {
    source: 'https://platform.claude.com/docs/en/about-claude/pricing',
    read: '2026-10-24',
    secondHand: true,
    regional: 1.1,
    models: {
      'bedrock:anthropic.claude-opus-5-5': [4, 0.2, 20],
      'bedrock:anthropic.claude-sonnet-5-5': [2, 0.1, 10],
      'bedrock:anthropic.claude-sonnet-5': [2, 0.2, 10],
      'bedrock:anthropic.claude-haiku-5-5': [0.1, 0.01, 0.5]
    }
  },
  {
    source: 'https://platform.claude.com/docs/en/about-claude/pricing',
    read: '2026-11-23',
    models: {
      'bedrock:anthropic.claude-opus-4-1': [15, 1.5, 75],
      'bedrock:anthropic.claude-sonnet-4': [3, 0.3, 15],
      'bedrock:anthropic.claude-3-7-sonnet': [3, 0.3, 15],
      'bedrock:anthropic.claude-3-5-haiku': [0.8, 0.08, 4],
      'bedrock:anthropic.claude-3-haiku': [0.25, 0.03, 1.25]
    }
  },
  {
    source: 'https://aws.amazon.com/bedrock/pricing/',
    read: '2026-08-06',
    secondHand: true,
    models: {
      'bedrock:amazon.nova-2-lite': [0.3, 0.075, 2.5],
      'bedrock:amazon.nova-premier': [2.5, 0.625, 12.5],
      'bedrock:amazon.nova-pro': [0.8, 0.2, 3.2],
      'bedrock:amazon.nova-lite': [0.06, 0.015, 0.24],
      'bedrock:amazon.nova-micro': [0.035, 0.00875, 0.14],
      'bedrock:amazon.titan-embed-text-v2:0': [0.02, null, null]
    }
  }
]
