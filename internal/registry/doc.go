// Package registry asks container registries two questions: which digest has this tag now, and which tags are there? It
// implements the interfaces Registry that the controllers of containers and of image policies declare.
//
//	Resolve ──► cache ──► breaker ──► credentials in order, then anonymous ──► HEAD, or GET ──► digest
//	             2 s, 5 s   per host                                            one exchange
//
// What holds everywhere in it:
//
//   - The digest is that of what the tag names: of the index for a multi-platform image, never of one platform's image.
//   - An answer that did not come is never an answer. Errors belong to one of three classes of swarmobj: ErrNotFound,
//     ErrRefused, and ErrUnavailable for everything that says nothing about the image.
//   - Error texts are made here, from closed lists, and hold no credentials, no URL, no address, no time and no words of
//     the registry's: they end in conditions that tenants read and that must not flap.
//   - A registry is reached by TLS with verified certificates, unless it is on the loopback interface or the operator's
//     registries file says otherwise. Nothing a registry answers can lead from TLS to plain HTTP.
//   - A list of tags is whole or an error: the latest of half a list may be an old one.
//   - Everything is bounded: time, answers, redirects, pages, connections, remembered results and remembered outages.
//
// It is called by the controllers of containers and of image policies, starts no loop, and must not import controllers.
package registry
