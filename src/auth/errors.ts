import createError from '@fastify/error'

export const AuthRequired = createError('PAI_AUTH_REQUIRED', 'Sign in, or send an API key, to do this', 401)
export const TokenExpired = createError(
  'PAI_AUTH_TOKEN_EXPIRED',
  'The access token or API key has expired',
  401
)
export const TokenInvalid = createError(
  'PAI_AUTH_TOKEN_INVALID',
  'The access token or API key is not valid',
  401
)
/** One text for an unknown address and a wrong password: an answer must not tell who has an account. */
export const CredentialsWrong = createError(
  'PAI_AUTH_CREDENTIALS_WRONG',
  'The email address or the password is wrong',
  401
)
export const RefreshInvalid = createError(
  'PAI_AUTH_REFRESH_INVALID',
  'The refresh token is missing, expired, revoked or spent: sign in again',
  401
)
export const PasswordWrong = createError('PAI_AUTH_PASSWORD_WRONG', 'The password is wrong', 403)
export const ScopeMissing = createError<[string]>(
  'PAI_AUTH_SCOPE',
  'These credentials do not have the scope %s',
  403
)
export const SessionRequired = createError(
  'PAI_AUTH_SESSION_REQUIRED',
  'An API key cannot do this: sign in with a password',
  403
)
export const AdministratorRequired = createError(
  'PAI_AUTH_ADMINISTRATOR_REQUIRED',
  'Only an administrator can do this',
  403
)
export const OriginRefused = createError(
  'PAI_AUTH_ORIGIN_REFUSED',
  'The request came from a page of another site',
  403
)
export const RegistrationClosed = createError(
  'PAI_AUTH_REGISTRATION_CLOSED',
  'This server takes no new accounts',
  403
)
export const InvitationRequired = createError(
  'PAI_AUTH_INVITATION_REQUIRED',
  'An invitation is needed to register here',
  403
)
export const InvitationInvalid = createError(
  'PAI_AUTH_INVITATION_INVALID',
  'The invitation is unknown, used or expired',
  403
)
export const EmailTaken = createError(
  'PAI_AUTH_EMAIL_TAKEN',
  'There is an account with this email address',
  409
)
export const LastAdministrator = createError(
  'PAI_AUTH_LAST_ADMINISTRATOR',
  'The last administrator cannot leave while there are other accounts',
  409
)
export const TimezoneInvalid = createError(
  'PAI_AUTH_TIMEZONE_INVALID',
  'The timezone must be the name of an IANA time zone, such as Europe/Oslo',
  400
)
export const LocaleInvalid = createError(
  'PAI_AUTH_LOCALE_INVALID',
  'The locale must be a BCP 47 language tag, such as nb-NO',
  400
)
export const ExpiryInvalid = createError('PAI_AUTH_EXPIRY_INVALID', 'The expiry must lie in the future', 400)
export const ApiKeyNotFound = createError<[string]>(
  'PAI_AUTH_API_KEY_NOT_FOUND',
  'API key %s was not found',
  404
)
export const InvitationNotFound = createError<[string]>(
  'PAI_AUTH_INVITATION_NOT_FOUND',
  'Invitation %s was not found',
  404
)
export const AuthBusy = createError(
  'PAI_AUTH_BUSY',
  'Too many people are signing in at this moment: try again shortly',
  503
)
