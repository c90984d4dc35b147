// Package document reads YAML that somebody else wrote: files with any number of documents, of which every error names the line.
//
//   - Aliases may repeat, and may not multiply: what they expand to is counted before anything expands them.
//   - Keys are unique, in every mapping. Tags are those of JSON; there are no others.
//   - Values mean what they mean to kubectl: conversion to JSON is Kubernetes' own.
//
// It is called by internal/git. It must not import controllers or the server.
package document
