// Package store is where archives of volumes are kept: a directory, or a bucket.
//
// A store keeps objects by names. What all of them hold to, and storetest checks:
//
//   - An object is there wholly or not at all. One whose upload was interrupted is never listed and cannot be read.
//   - An object that is there is never replaced. Names hold the UID of what made them, so that a name that is taken means that
//     the same work was done before.
//   - What interrupted uploads leave is removed by Sweep, and by nothing else.
//   - Errors are of the classes here, and hold neither credentials nor addresses, nor what a server has sent but its code.
//
// Callers: internal/voldata/snapshot, cmd. It imports nothing of ours.
package store
