// Package inventory says which objects a sync of a Git repository answers for: what it has applied, what of that goes away
// because the repository does not have it any more, and what people have taken out of its hands. It is pure.
//
//	recorded ──┐
//	built ─────┼─► Decide ─► Delete, Keep (with a reason), Record
//	opt-outs ──┘
//
// What holds everywhere in it:
//
//   - Nothing is ever deleted that is not in the record, whatever labels it carries.
//   - A build that has nothing, or nothing of what there was, deletes nothing: it is far more often a wrong path than a wish.
//     What was held back then stays held back until somebody says that it is meant, or it is in a build again.
//   - What could not be deleted stays in the record.
//
// Entries are written as Flux writes them in status.inventory, so that its tools read them: an ID
// NAMESPACE_NAME_GROUP_KIND and a version. Opt-outs are labels or annotations of objects, under our own prefix or by Flux'
// names.
//
// It is called by internal/gitops/apply and by the controller that owns syncs. It must not import either, nor a client.
package inventory
