package store

// DueCredentials is the query for what is due, so that tests see how it is answered.
const DueCredentials = dueCredentials
