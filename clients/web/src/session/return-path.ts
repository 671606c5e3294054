/** Where to go after signing in. Only a path of this site: an address in a link must not lead people elsewhere. */
export function safeReturnPath(from: string | undefined): string {
  return from?.startsWith('/') && !from.startsWith('//') && !from.includes('\\') ? from : '/'
}
