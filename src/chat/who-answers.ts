import { ModelNoImages, ModelUnknown } from '../llm/errors.ts'
import type { ChatModel } from '../llm/model.ts'

/** The model of a name, or the deployment's own; throws for a name that is none. */
export type FindModel = (name?: string) => ChatModel

/**
 * Who answers where a model was chosen earlier, by its name. For one that has left the deployment's list since, `isGone`, its
 * own answers: what was said with it can go on.
 */
export function whoAnswers(
  chatModel: FindModel,
  name: string | undefined
): { model: ChatModel; isGone: boolean } {
  try {
    return { model: chatModel(name), isGone: false }
  } catch (error) {
    if (!(error instanceof ModelUnknown)) throw error
    return { model: chatModel(), isGone: true }
  }
}

/** Refuses images that whoever answers could not see. */
export function refuseUnseen({ id, abilities }: ChatModel): void {
  if (!abilities?.images) throw new ModelNoImages(id)
}
