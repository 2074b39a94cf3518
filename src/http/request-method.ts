/** `http.request.method` of a method that is not known. */
export const OTHER_METHOD = '_OTHER';
