// Package content reads what is in a volume as a stream of tar, holds it against rules, and says by one digest what it was.
//
//	tar of an engine ──► Reader ──► Copier ──► tar that we have written ──► engine, or archive
//	                     whole?     allowed?   only what was understood
//	                                  │
//	                                  └──► Summary: digest, entries, bytes
//
// What holds:
//
//   - Order is part of the form: a directory comes before what is in it, what is in it follows at once, and names in one
//     directory ascend byte by byte. Engines walk directories that way. It is what makes the digest a running one and the
//     checks cheap: only the directories that are open are remembered, however large the volume is.
//   - Because of the order no name comes twice, and everything lies in a directory that the same stream has made. So nothing
//     is ever written through a symbolic link, wherever that leads, and links may lead anywhere.
//   - Names are relative to Root, without empty parts, "." and "..". Hard links lead to names that came before.
//   - A stream that ends without the mark of its end is cut off, also between two entries, which archive/tar takes for an end.
//   - The digest covers type, name, mode, owner, group, time in seconds, size, target of links, capabilities and the SHA-256
//     of the data of each entry. It does not cover what engines do not keep: fractions of seconds, times before 1970, and
//     extended attributes other than security.capability, of which user.* and ACLs are passed on where an engine tells them.
//
// Holes in sparse files are not kept: their zeros are data here. Sockets never reach a stream, engines leave them out.
//
// Callers: internal/voldata and what is below it. It imports nothing of ours, and knows neither engines nor archives.
package content
