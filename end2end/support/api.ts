// What of the dashboard's own API the tests read.

/** A row, as far as the tests look at it. */
export interface Ingress {
  name: string;
  namespace: string;
}
