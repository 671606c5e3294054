/** Families of models that see, by what their names say at OpenAI, Ollama, vLLM, OpenRouter and Bedrock alike. */
const SEEING = [
  /\b(?:chatgpt-4o|gpt-4o|gpt-4\.[1-9]|gpt-4-turbo|gpt-[5-9])/,
  /(?:^|\/)(?:o1|o3|o4-mini)(?!-mini)/,
  /claude-(?:3|opus|sonnet|haiku|fable|[4-9])/,
  /gemini|nova-(?:lite|pro|premier|2)|pixtral|llava|moondream|minicpm-v|internvl|molmo|idefics/,
  /llama-?4|llama-?3[.-]2-(?:11b|90b)|mistral-(?:small-?3\.[1-9]|medium-3)/,
  /gemma-?(?:3(?!n|.*\b(?:270m|1b)\b)|[4-9])/,
  /vision|multimodal|(?:^|[^a-z])(?:\d*vl|omni)(?:[^a-z]|$)/
]

/** Whether a model sees images, as far as its name tells. */
export function seesImages(model: string): boolean {
  const name = model.toLowerCase()
  return SEEING.some((family) => family.test(name)) && !/embed|audio|transcribe|realtime|tts/.test(name)
}
