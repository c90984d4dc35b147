// Package substitute replaces ${name} in objects, after they were built, strictly: a variable without a value is an error, not
// an empty string.
//
// It replaces in values, not in text: whatever a variable holds, it stays in the place where it was put. What was written
// without quotes becomes what the value says, so that replicas: ${n} is a number; what was written in quotes stays a string.
//
// It is called by internal/git. It must not import controllers or the server.
package substitute
