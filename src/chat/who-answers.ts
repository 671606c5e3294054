import { ModelNoImages, ModelUnknown } from '../llm/errors.ts'
import type { ChatModel, Llm } from '../llm/model.ts'

/** The models of the deployment, as turns choose among them. */
export type ChatModels = Pick<Llm, 'chat' | 'chatModel' | 'inPlaceOf'>

/** The model of a name, or the deployment's own; throws for a name that is none. */
export function findModel({ chat, chatModel }: ChatModels, name: string | undefined): ChatModel {
  return name ? chatModel(name) : chat
}

export function isListed({ chatModel }: ChatModels, name: string): boolean {
  try {
    chatModel(name)
    return true
  } catch (error) {
    if (error instanceof ModelUnknown) return false
    throw error
  }
}

/**
 * Who answers where a model was chosen earlier, by its name. For one that has left the deployment's list since, `isGone`,
 * another answers where that takes what was said nowhere else; throws `ModelGone` where it would.
 */
export function whoAnswers(
  models: ChatModels,
  name: string | undefined
): { model: ChatModel; isGone: boolean } {
  if (!name || isListed(models, name)) return { model: findModel(models, name), isGone: false }
  return { model: models.inPlaceOf(name), isGone: true }
}

/** Refuses images that whoever answers could not see. */
export function refuseUnseen({ id, abilities }: ChatModel): void {
  if (!abilities?.images) throw new ModelNoImages(id)
}
