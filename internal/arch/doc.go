// Package arch keeps the shape of the tree from rotting. It has no code, only tests: over the import graph, that arrows
// point inward; over the source, that files and functions stay short, packages say what they are for, and a handful of
// habits are kept that no compiler asks for.
//
//	cmd ─► controllers ─► reconciler ─► api
//	 └───► internal/<adapter> ─────────► api, reconciler
//
// Limits are ratchets: what is over a limit today is listed with its size, may shrink, and may not grow.
package arch
