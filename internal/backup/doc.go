// Package backup keeps what a server cannot lose: its store and its keys, in one file, and makes a data directory of it
// again.
//
//	DIR/etcd  ── snapshot, while it is written to ──┐
//	DIR/pki, secrets, identity.json ────────────────┼─► tar ─► gzip ─► age ─► FILE
//	                         digests of all of that ┘
//
// What holds everywhere in it:
//
//   - A file with the name that was asked for is whole: it gets its name last. A file that is there is never replaced.
//   - The file opens every door of the installation, so it is encrypted unless somebody says that it shall not be.
//   - Restore reads all of the file and holds it against its digests before it touches the data directory. A file that was
//     cut, changed, or made by somebody else leaves it as it was.
//   - A restore that was killed is gone on with, or begun anew, by the next one; no server starts on half of it.
//   - What is not known is refused: names that a backup does not have, sizes that are not announced, later formats.
//
// The formats are those of others: tar, gzip, age, and etcd's snapshots; without Dogker a backup is opened with
// `age -d | tar -xz`, and its etcd.snapshot with etcdutl.
//
// It is called by cmd/dogker. It must not import controllers.
package backup
