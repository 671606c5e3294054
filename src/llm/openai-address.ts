export const OPENAI_BASE_URL = 'https://api.openai.com/v1'

/** Whether it is OpenAI itself, in whatever region, that answers there. */
export function isOpenAi(baseUrl = OPENAI_BASE_URL): boolean {
  const { hostname } = new URL(baseUrl)
  return hostname === 'api.openai.com' || hostname.endsWith('.api.openai.com')
}
