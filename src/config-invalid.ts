/** A setting is missing or wrong. The message names settings and never shows a value: it may be a secret. */
export class ConfigInvalid extends Error {
  override name = 'ConfigInvalid'
}
