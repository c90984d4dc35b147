// Package engine runs one reconcile pass of any kind, and owns what every kind repeats: reading the object, its
// finalizer, the one status patch, observedGeneration, conditions of the four endings, events, metrics, the logger of the
// pass, panics, and when to look again. A kind is left with observe, decide, act, report.
//
//	request ─► read ─► hold back? ─► finalizer ─► Kind.Reconcile ─► conditions ─► status patch ─► requeue
//	            │          │                          │                              │
//	            │          └ fails: at most one       └ panic: one bad object,       └ only when it differs,
//	            └ never older than what was           nobody else notices              never anything but status
//	              seen or written before
//
// What holds:
//   - A pass never acts on an older version of its object than the pass before it. Caches lag behind our own writes, and
//     after a reconnect they can even go back in time.
//   - A pass that sees what it saw before writes nothing.
//   - Status is written for the version of the object that it was made from, and for no other: a conflict is retried, and
//     a patch that arrives late is refused.
//   - An object that fails is tried again after 5 ms, then ever later up to 5 minutes; whatever reports changes of it
//     meanwhile, it gets at most one pass a second. A change of its spec is not held back.
//   - Only a pass that understood the object moves observedGeneration.
//
// The engine hands requeue times, never errors, to controller-runtime: it has counted, logged and timed them itself.
//
// It imports api, the other packages of reconciler and controller-runtime; never a controller or an adapter.
package engine
