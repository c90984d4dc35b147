// Package places knows where archives of volumes are kept: it reads VolumeSnapshotClasses and the Secrets that they name, and makes
// stores and keys of them.
//
//   - Secrets are read in the namespace of the platform alone, whatever a class says.
//   - A key is made once, for a class that never had one. It is never replaced, nor made again: without the old one no archive opens,
//     and a new one would hide that.
//   - A store is made anew only when the class or a Secret of it has changed; until then its connections are used again.
//   - Errors name the class, the Secret and its keys, and no value.
//
// Callers: internal/volumework, by the interface that it declares; cmd, for controllers/volumesnapshotclass. It must not import
// controllers.
package places
