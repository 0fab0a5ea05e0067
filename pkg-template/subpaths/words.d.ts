/**
 * A sentence about an error for the person in front of the page, where `message` and `remedy` are for developers: in the
 * first of these languages that there is (English, Spanish, Portuguese), else in English. Of whatever else was thrown as
 * well. Default: the browser's languages.
 */
export declare const userMessage: (error: unknown, languages?: string | readonly string[]) => string
