// Package apply makes the objects of a namespace what a repository says, through the API and as the tenant's
// ServiceAccount: quota, admission and rights hold for a repository as they hold for kubectl.
//
//	Plan    decode ─► one list of metadata ─► dry-run of what may differ ─► room for all of it   (writes nothing)
//	Apply   what others need first, each object at the version that was looked at
//	Wait    until all of it is Ready, by kstatus
//	Prune   what is on record, not built, and still carries our labels
//
// What holds everywhere in it:
//
//   - Nothing is written before the API has accepted every object of the build in a dry-run, and the quotas have room for all
//     of them together. A bad commit changes nothing.
//   - Nothing is written that does not differ, and nothing is asked that has not changed. After an object was found as it
//     should be, it is asked about again when its metadata shows that somebody has changed it, when the repository has, or
//     when an hour has passed. At rest a visit is one list for each kind, however many objects there are.
//   - A write carries the UID and the version that the dry-run saw. Who comes in between is looked at, not overwritten.
//   - A tenant's sync stays in its namespace. What is not namespaced, or names another one, is refused by name, file and line.
//   - Only what is on record and carries the labels of this very sync is deleted, at the version at which it did.
//   - An object is deleted to be made anew only where it says so, and only when being immutable is all that the API has
//     against the change.
//   - Differences and errors that people read hold no value of a Secret and none of a variable.
//
// It stands on client-go and not on fluxcd/pkg/ssa, whose words and formats it keeps; docs/adr/0020 says why. Health is
// kstatus', from fluxcd/cli-utils.
//
// It is called by the controller that owns syncs, in a server that may impersonate. It must not import controllers or the
// control plane.
package apply
