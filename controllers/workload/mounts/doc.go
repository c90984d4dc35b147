// Package mounts finds the Volumes that a template mounts, and says what keeps tasks from having them: for containers and for
// runs of jobs. It reads; it changes nothing.
//
// A Volume is given to a task only as package reconciler/volume says that it may be used, and only together with the node that
// has its data: elsewhere the engine would make an empty one. Who has a Volume keeps it, whatever is wrong with it since, so
// that what runs can still be scaled and suspended.
package mounts
