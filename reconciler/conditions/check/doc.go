// Package check is a linter for status: it holds the conditions of an object against the rules that people, kubectl and
// GitOps tools rely on. Controller tests call it on what they leave behind.
//
// It is for tests; production code does not import it.
package check
