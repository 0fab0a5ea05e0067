// `oauth-wasm/words`: a sentence for the person in front of the page. What an error says itself is for developers.

const SENTENCES = {
  login: {
    en: 'Please log in.',
    es: 'Inicia sesión.',
    pt: 'Entre na sua conta.',
  },
  ended: {
    en: 'Your session has ended. Please log in again.',
    es: 'Tu sesión ha terminado. Inicia sesión de nuevo.',
    pt: 'Sua sessão terminou. Entre novamente.',
  },
  restart: {
    en: 'The login was not completed. Please start it again.',
    es: 'El inicio de sesión no se completó. Vuelve a intentarlo.',
    pt: 'O login não foi concluído. Comece novamente.',
  },
  denied: {
    en: 'Access was not granted. You can log in again at any time.',
    es: 'No se concedió el acceso. Puedes iniciar sesión de nuevo cuando quieras.',
    pt: 'O acesso não foi concedido. Você pode entrar novamente quando quiser.',
  },
  again: {
    en: 'The service cannot be reached just now. Check your connection and try again.',
    es: 'No se puede acceder al servicio en este momento. Revisa tu conexión e inténtalo de nuevo.',
    pt: 'Não é possível acessar o serviço no momento. Verifique sua conexão e tente novamente.',
  },
  later: {
    en: 'The service is busy. Please wait a moment and try again.',
    es: 'El servicio está ocupado. Espera un momento e inténtalo de nuevo.',
    pt: 'O serviço está ocupado. Aguarde um momento e tente novamente.',
  },
  popup: {
    en: 'Your browser blocked the login window. Allow pop-ups for this site and try again.',
    es: 'Tu navegador bloqueó la ventana de inicio de sesión. Permite las ventanas emergentes de este sitio e inténtalo de nuevo.',
    pt: 'Seu navegador bloqueou a janela de login. Permita pop-ups deste site e tente novamente.',
  },
  browser: {
    en: 'Your browser does not allow what the login needs. Allow site data for this site, or use a current browser.',
    es: 'Tu navegador no permite lo que el inicio de sesión necesita. Permite los datos de este sitio o usa un navegador actual.',
    pt: 'Seu navegador não permite o que o login precisa. Permita os dados deste site ou use um navegador atual.',
  },
  permission: {
    en: 'You need to allow more for this. Please log in again to do so.',
    es: 'Necesitas dar más permisos para esto. Inicia sesión de nuevo para hacerlo.',
    pt: 'É preciso conceder mais permissões para isto. Entre novamente para fazê-lo.',
  },
  refused: {
    en: 'The service did not allow this.',
    es: 'El servicio no permitió esta acción.',
    pt: 'O serviço não permitiu esta ação.',
  },
  application: {
    en: 'Something went wrong in this application. If it happens again, please contact its support.',
    es: 'Algo falló en esta aplicación. Si vuelve a ocurrir, contacta con su soporte.',
    pt: 'Algo deu errado neste aplicativo. Se acontecer novamente, fale com o suporte.',
  },
}

// What stands here under no other sentence is the application's to mend.
const CODES = {
  login: ['login_required', 'interaction_required', 'third_party_cookies'],
  ended: ['session_ended', 'session_indeterminate', 'key_lost'],
  restart: [
    'unknown_state',
    'state_mismatch',
    'login_expired',
    'duplicate_parameter',
    'popup_closed',
    'login_abandoned',
    'token_request_refused',
  ],
  denied: ['access_denied'],
  again: ['network_error', 'timeout', 'load_failed', 'TypeError'],
  later: ['server_error', 'rate_limited'],
  popup: ['popup_blocked'],
  browser: ['unsupported_environment', 'storage_blocked', 'storage_full', 'crypto_unavailable'],
  permission: ['insufficient_scope', 'insufficient_user_authentication'],
  refused: ['request_refused', 'vault_refused'],
  application: [
    'invalid_config',
    'unknown_provider',
    'unknown_site',
    'unknown_scope',
    'client_secret_refused',
    'entropy_failure',
    'invalid_authorization_response',
    'issuer_mismatch',
    'issuer_missing',
    'invalid_metadata',
    'redirect_uri_mismatch',
    'framed',
    'authorization_error',
    'invalid_token_response',
    'response_too_large',
    'unsupported_token_type',
    'undeclared_resource_server',
    'internal_error',
    'invalid_request',
    'invalid_id_token',
    'invalid_keys',
    'invalid_userinfo',
    'pushed_request_refused',
    'invalid_pushed_response',
    'token_not_bound',
    'nonce_unreadable',
  ],
}

/** A sentence about the error, in the first of these languages that there is; else in English. */
export const userMessage = (error, languages = globalThis.navigator?.languages ?? []) => {
  const code = error?.code ?? error?.name
  const [kind] = Object.entries(CODES).find(([, codes]) => codes.includes(code)) ?? ['application']
  const wanted = [languages].flat().map(language => String(language).slice(0, 2).toLowerCase())
  const sentences = SENTENCES[kind]
  return sentences[wanted.find(language => Object.hasOwn(sentences, language))] ?? sentences.en
}
