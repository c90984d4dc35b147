// Package source is what Dogker's controllers and the builders of Git repositories say to each other: from a URL to a list
// of objects. It is pure: no network, no files, no clock; it knows neither Git nor YAML.
//
//	Request ──► Builder ──► Built: revision, commit, objects with the file and line they come from
//	                   └──► *Error: a reason in Flux' words, the file and the line, whether trying again may help
//
// What holds everywhere in it:
//
//   - What a repository contains was written by its owner, and may be hostile. A Builder fetches and builds apart from the
//     server, within Limits, and answers every input with a Built or an *Error.
//   - A Built is all or nothing: there is no list of those objects that could be built.
//   - A Secret prints as [redacted], however it is printed. Messages of errors hold no secrets, no times and no counters:
//     they end in conditions.
//   - Same revision, same request: same bytes.
//
// The words are those of Flux' GitRepository and Kustomization. It is called by controllers that sync repositories and by
// internal/git. It must not import controllers, adapters, or anything that does I/O.
package source
