/** How OpenAI, vLLM, llama.cpp, Ollama, TGI, Gemini, xAI, Mistral and Bedrock's models say it. */
const WORDS = [
  /context (?:length|size|window)/i,
  /(?:input|prompt)(?: text)? is too long/i,
  /(?:input|prompt) (?:length|tokens?|token count)\b.{0,60}\bexceed/i,
  /maximum prompt length/i,
  /tokens`? \+ `?max_new_tokens/i,
  /too many (?:input )?tokens(?! per)/i
]

/** Whether these are the words of a server whose model is asked to read more than it can. */
export function tellsTooLong(message: string): boolean {
  return WORDS.some((words) => words.test(message))
}
