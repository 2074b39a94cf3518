/** As it stands. */
export const errorsPage = (_tables, current) => current;
